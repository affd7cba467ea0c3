"""What the forest sees of a login."""

import math

import msgspec
import numpy as np
import pytest
from geopy.distance import great_circle

from risk_scorer.core.encoders import kinds
from risk_scorer.core.facts import IpFacts
from risk_scorer.core.features import COLUMN_OF_FEATURE, DISTANCE, FEATURES, WIDTH, Scales, compute, places
from risk_scorer.core.history import UserHistory
from risk_scorer.core.observation import Observation
from risk_scorer.core.signals import gather, table
from tests.unit.risk_scorer.core.small import HOME, NOON, STRANGE, encoders, known, seen

SCALES = Scales(total=1000.0, kinds=kinds(encoders()), unknown_km=500.0)


def features(observation: Observation, history: UserHistory | None) -> dict[str, float]:
    row = compute(table([gather(encoders(), observation, history)]), SCALES)[0]
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
    assert rarities[0] == pytest.approx(-math.log(500.5 / 1002.0))


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
    together = compute(table(rows), SCALES)
    alone = np.concatenate([compute(table([row]), SCALES) for row in rows])
    assert ((together == alone) | (np.isnan(together) & np.isnan(alone))).all()


def test_places_name_their_columns_and_unknown_names_are_errors() -> None:
    """A model cannot ask for a feature that is not computed."""
    assert places(["hour", "ip_rep"]).tolist() == [0, FEATURES.index("ip_rep")]
    with pytest.raises(ValueError, match="not in"):
        places(["shoe_size"])
