"""What the forest sees of a login."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from geopy.distance import great_circle

from risk_scorer.core.encoders import kinds
from risk_scorer.core.facts import NO_PRESSURE, IpFacts, Pressure
from risk_scorer.core.features import COLUMN_OF_FEATURE, DISTANCE, FEATURES, WIDTH, Scales, compute, places
from risk_scorer.core.history import UserHistory, learn
from risk_scorer.core.observation import Observation
from risk_scorer.core.scoring import NOBODY
from risk_scorer.core.shares import shares
from risk_scorer.core.signals import Row, gather, table
from tests.unit.risk_scorer.core.small import HOME, NOON, STRANGE, encoders, known, seen

SCALES = Scales(total=1000.0, kinds=kinds(encoders()), unknown_km=500.0)


def computed(rows: Sequence[Row]) -> np.ndarray:
    signals = table(rows)
    return compute(signals, shares(signals, SCALES.total, SCALES.kinds), SCALES)


def features(
    observation: Observation, history: UserHistory | None, pressure: Pressure = NO_PRESSURE
) -> dict[str, float]:
    row = computed([gather(encoders(), observation, history, pressure)])[0]
    return dict(zip((*FEATURES, "distance"), row.tolist(), strict=True))


def test_every_feature_says_which_column_it_needs() -> None:
    """A log can be asked what it lacks."""
    assert set(COLUMN_OF_FEATURE) == set(FEATURES)
    assert WIDTH == DISTANCE + 1 == len(FEATURES) + 1


@pytest.mark.parametrize(
    ("ts", "hour", "day"),
    [(0.0, 0, 3), (NOON, 12, 1), (NOON + 11.99 * 3600, 23, 1), (NOON + 12 * 3600, 0, 2), (NOON - 37 * 3600, 23, 6)],
)
def test_hour_and_weekday_are_utc_with_monday_first(ts: float, hour: int, day: int) -> None:
    """1970-01-01 was a Thursday, 2020-09-01 a Tuesday."""
    found = features(seen(ts=ts), None)
    assert (found["hour"], found["day_of_week"]) == (hour, day)


def test_the_rarer_a_value_the_higher_its_rarity() -> None:
    """An ASN that half of all use, one that one login used, one that none did."""
    rarities = [features(seen(asn_key=key), None)["asn_rarity"] for key in ("64500", "64502", "1")]
    assert rarities == sorted(rarities)
    country = 500.5 / 1001.5
    assert rarities[0] == pytest.approx(-math.log((500.0 + 2.0 * country * 3.0 / 4.0) / 1002.0))


@pytest.mark.parametrize("level", ["device", "prefix", "asn", "country", "browser", "os", "ja4"])
def test_novelty_is_nothing_without_history_and_grows_with_it(level: str) -> None:
    """A new value is no surprise in a first login, some after two, more after twenty; a known one is none."""
    name = f"{level}_novelty"
    assert features(STRANGE, None)[name] == 0.0
    assert 0.0 < features(STRANGE, known(2))[name] < features(STRANGE, known(20))[name]
    assert features(HOME, known(20))[name] == pytest.approx(0.0)


def test_distance_is_from_the_usual_place_and_unknown_is_neither_near_nor_impossible() -> None:
    """Great-circle kilometres where both places are known; where one is not, what training found far for its people."""
    moscow, san_jose = (55.75, 37.62), (37.34, -121.89)
    far = features(STRANGE, known())
    assert far["distance"] == pytest.approx(great_circle(moscow, san_jose).km, rel=1e-6)
    assert far["geo_distance"] == pytest.approx(math.log1p(far["distance"]))
    for unknown in (features(seen(network=IpFacts()), known()), features(HOME, None)):
        assert math.isnan(unknown["distance"])
        assert unknown["geo_distance"] == pytest.approx(math.log1p(500.0))


def test_rarity_backs_off_to_what_the_value_belongs_to() -> None:
    """A new address of a common operator is less rare than one of an operator that nobody uses."""
    common = seen(ip="198.51.100.77")
    unknown = seen(ip="198.51.100.77", prefix="192.0.2.128/25", asn_key="1", country="XX")
    assert features(common, None)["ip_rarity"] < features(unknown, None)["ip_rarity"]


@pytest.mark.parametrize("gap", [-5.0, 0.0, 60.0, 86_400.0, 5e7])
def test_the_gap_is_since_the_last_login_and_nothing_without_one(gap: float) -> None:
    """Seconds as a logarithm; a clock that runs back is no time at all."""
    last = known().last_seen
    assert features(seen(ts=last + gap), known())["gap"] == pytest.approx(math.log1p(max(gap, 0.0)))
    assert features(seen(ts=last + gap), None)["gap"] == 0.0


def test_a_place_of_their_own_is_near_however_far_their_middle_is() -> None:
    """Somebody with two homes is at one of them; who has none is neither near nor impossibly far."""
    moscow = IpFacts(latitude=55.75, longitude=37.62)
    two_homes = known(20)
    for day in range(20):
        two_homes = learn(two_homes, seen(ts=NOON + 86_400.0 * day, network=moscow), "success")
    found = features(seen(ts=NOON + 30 * 86_400.0, network=moscow), two_homes)
    assert found["place_distance"] < math.log1p(50.0) < math.log1p(1000.0) < found["geo_distance"]
    assert features(seen(network=moscow), known())["place_distance"] == pytest.approx(math.log1p(9400.0), rel=0.01)
    assert features(seen(network=moscow), None)["place_distance"] == pytest.approx(math.log1p(500.0))


def test_a_speed_is_how_fast_they_came_and_nothing_where_it_is_unknown() -> None:
    """Nine thousand kilometres in an hour is fast; what cannot be told is not impossible."""
    moscow = IpFacts(latitude=55.75, longitude=37.62, accuracy_km=10.0)
    fast = features(seen(network=moscow), known())["speed"]
    assert math.log1p(8000.0) < fast < math.log1p(10_000.0)
    assert features(seen(network=moscow, ts=NOON + 86_400.0), known())["speed"] < fast - 2.0
    assert features(seen(network=IpFacts()), known())["speed"] == 0.0
    assert features(seen(network=moscow), None)["speed"] == 0.0


def test_failures_and_people_failed_for_are_counted() -> None:
    """The account's own recent failures as one feature, the network's victims as another."""
    attacked = known()
    for _ in range(3):
        attacked = learn(attacked, seen(), "failure")
    an_hour_on = seen(ts=NOON + 3600.0)
    pressed = features(an_hour_on, attacked, Pressure(network_people=7.0, network_failures=9.0))
    calm = features(an_hour_on, known())
    assert pressed["recent_failures"] == pytest.approx(math.log1p(1.5))  # halved in an hour
    assert pressed["network_people_failing"] == pytest.approx(math.log1p(7.0))
    assert {name for name in FEATURES if pressed[name] != calm[name]} == {"recent_failures", "network_people_failing"}
    assert (calm["recent_failures"], calm["network_people_failing"]) == (0.0, 0.0)


@pytest.mark.parametrize("history", [None, known(1), known(20)])
@pytest.mark.parametrize("observation", [HOME, STRANGE, NOBODY, seen(network=IpFacts()), seen(ts=0.0)])
def test_every_feature_is_finite(observation: Observation, history: UserHistory | None) -> None:
    """Whatever is not known."""
    assert all(math.isfinite(value) for name, value in features(observation, history).items() if name != "distance")


def test_a_fingerprint_is_judged_by_form_and_by_the_browser_it_contradicts() -> None:
    """Whether it parses is one feature, whether browser and handshake disagree another."""
    fits, bad = features(HOME, None), features(seen(fingerprint=STRANGE.fingerprint), None)
    chromium = msgspec.structs.replace(HOME.fingerprint, client="Chromium")
    lies = features(seen(fingerprint=chromium), None)
    names = ("ja4_valid", "ja4_contradicts_browser")
    assert [tuple(found[name] for name in names) for found in (fits, bad, lies)] == [(1, 0), (0, 0), (1, 1)]


def test_features_of_a_row_do_not_depend_on_its_neighbours() -> None:
    """Bulk and single agree to the bit."""
    rows = [gather(encoders(), each, past) for each in (HOME, STRANGE) for past in (None, known(1), known(20))]
    together = computed(rows)
    alone = np.concatenate([computed([row]) for row in rows])
    assert ((together == alone) | (np.isnan(together) & np.isnan(alone))).all()


def test_places_name_their_columns_and_unknown_names_are_errors() -> None:
    """A model cannot ask for a feature that is not computed."""
    assert places(["hour", "ip_rep"]).tolist() == [0, FEATURES.index("ip_rep")]
    with pytest.raises(ValueError, match="not in"):
        places(["shoe_size"])
