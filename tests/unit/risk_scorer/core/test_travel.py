"""Speeds between logins, against geopy as an independent judge; what is not known is not fast."""

import math

import numpy as np
import pytest
from geopy.distance import geodesic

from risk_scorer.core.facts import IpFacts, NetworkKind
from risk_scorer.core.history import UserHistory, learn
from risk_scorer.core.observation import Observation
from risk_scorer.core.rules import RULES, matches
from risk_scorer.core.signals import COLUMNS, PLACE, gather, table
from risk_scorer.core.travel import speeds_kmh
from tests.unit.risk_scorer.core.small import NOON, encoders, seen

BERLIN, SYDNEY, POTSDAM = (52.52, 13.405), (-33.87, 151.21), (52.4, 13.07)
HOUR = 3600.0


def at(
    place: tuple[float, float] | None, hours: float, *, kind: NetworkKind = "unknown", **changes: object
) -> Observation:
    network = IpFacts(kind=kind)
    if place is not None:
        network = IpFacts(latitude=place[0], longitude=place[1], accuracy_km=20.0, kind=kind)
    return seen(ts=NOON + hours * HOUR, network=network, **changes)


def speed(now: Observation, *before: Observation) -> float:
    return float(speeds_kmh(table([gather(encoders(), now, history(*before))]))[0])


def history(*before: Observation) -> UserHistory | None:
    past: UserHistory | None = None
    for login in before:
        past = learn(past, login, "success")
    return past


def impossible(now: Observation, *before: Observation) -> float:
    matched = matches(table([gather(encoders(), now, history(*before))]))[0]
    return float(matched[RULES.index("impossible_travel")])


def test_speeds_are_near_those_over_the_ellipsoid() -> None:
    """A thousand pairs anywhere on Earth, a day and less apart, within 0.6 % of the distance."""
    rng = np.random.default_rng(7)
    count = 1000
    signals = np.zeros((count, len(COLUMNS)))
    for name, values in {
        "latitude": np.degrees(np.arcsin(rng.uniform(-1, 1, count))),
        "longitude": rng.uniform(-180, 180, count),
        "last_latitude": np.degrees(np.arcsin(rng.uniform(-1, 1, count))),
        "last_longitude": rng.uniform(-180, 180, count),
        "accuracy": rng.uniform(1, 100, count),
        "last_accuracy": rng.uniform(1, 100, count),
        "ts": NOON + rng.uniform(60, 86_400, count),
        "last_ts": np.full(count, NOON),
    }.items():
        signals[:, PLACE[name]] = values
    column = {name: signals[:, place] for name, place in PLACE.items()}
    places = zip(
        column["latitude"], column["longitude"], column["last_latitude"], column["last_longitude"], strict=True
    )
    kilometres = np.array([geodesic((lat, lon), (last_lat, last_lon)).km for lat, lon, last_lat, last_lon in places])
    hours = (column["ts"] - NOON) / HOUR
    left = np.maximum(0.0, kilometres - column["accuracy"] - column["last_accuracy"])
    assert np.all(np.abs(speeds_kmh(signals) * hours - left) <= 6e-3 * kilometres + 1e-6)


def test_half_the_world_in_two_hours_is_impossible_and_in_two_days_is_not() -> None:
    """Berlin to Sydney is 16,000 km."""
    assert speed(at(SYDNEY, 2.0), at(BERLIN, 0.0)) == pytest.approx(8030, rel=0.01)
    assert impossible(at(SYDNEY, 2.0, prefix="203.0.113.0/24"), at(BERLIN, 0.0)) == 1.0
    assert impossible(at(SYDNEY, 48.0, prefix="203.0.113.0/24"), at(BERLIN, 0.0)) == 0.0


def test_the_rule_grows_from_an_airliner_to_what_no_error_explains() -> None:
    """Nothing at 900 km/h, half at 1450, all at 2000."""
    kilometres = speed(at(SYDNEY, 1.0), at(BERLIN, 0.0))
    for kmh, degree in ((899.0, 0.0), (1450.0, 0.5), (2000.0, 1.0), (9000.0, 1.0)):
        now = at(SYDNEY, kilometres / kmh, prefix="203.0.113.0/24")
        assert impossible(now, at(BERLIN, 0.0)) == pytest.approx(degree, abs=0.001)


def test_a_neighbouring_city_is_within_what_addresses_can_tell() -> None:
    """26 km are less than both radii, at any speed."""
    assert speed(at(POTSDAM, 0.0), at(BERLIN, 0.0)) == 0.0


def test_logins_of_one_moment_are_a_minute_apart() -> None:
    """No division by nothing, and a late report is as far off as an early one."""
    alone = speed(at(SYDNEY, 1 / 60), at(BERLIN, 0.0))
    assert speed(at(SYDNEY, 0.0), at(BERLIN, 0.0)) == pytest.approx(alone)
    assert speed(at(SYDNEY, -2.0), at(BERLIN, 0.0)) == pytest.approx(speed(at(SYDNEY, 2.0), at(BERLIN, 0.0)))


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (at(SYDNEY, 1.0), []),
        (at(None, 1.0), [at(BERLIN, 0.0)]),
        (at(SYDNEY, 1.0), [at(None, 0.0)]),
        (at(SYDNEY, 1.0, kind="vpn"), [at(BERLIN, 0.0)]),
        (at(SYDNEY, 1.0, kind="hosting"), [at(BERLIN, 0.0)]),
        (at(SYDNEY, 1.0, kind="tor"), [at(BERLIN, 0.0)]),
        (at(SYDNEY, 1.0), [at(BERLIN, 0.0, kind="vpn")]),
    ],
    ids=["nobody", "no place", "no last place", "vpn", "data centre", "tor", "last from a vpn"],
)
def test_what_is_not_known_is_not_impossible(now: Observation, before: list[Observation]) -> None:
    """No place, or a relay's at either end, says nothing of where the person is."""
    assert math.isnan(speed(now, *before))
    assert impossible(now, *before) == 0.0


def test_a_place_that_contradicts_the_reported_country_is_doubtful() -> None:
    """The table says Sydney, the caller says Germany: one of them is wrong, and nobody is accused."""
    network = IpFacts(latitude=SYDNEY[0], longitude=SYDNEY[1], country="AU")
    assert math.isnan(speed(seen(ts=NOON + HOUR, network=network, country="DE"), at(BERLIN, 0.0)))
    assert speed(seen(ts=NOON + HOUR, network=network, country="AU"), at(BERLIN, 0.0)) > 10_000


def test_a_relay_in_between_does_not_hide_where_the_person_was() -> None:
    """Nobody launders a journey through a VPN."""
    assert speed(at(SYDNEY, 2.0), at(BERLIN, 0.0), at(SYDNEY, 1.0, kind="vpn")) == pytest.approx(8030, rel=0.01)


def test_failures_and_anybodys_networks_are_no_journeys() -> None:
    """An attacker who fails, or a Tor exit that the person once used, moves nobody."""
    past = history(at(BERLIN, 0.0))
    for attempt, outcome in ((at(SYDNEY, 1.0), "failure"), (at(SYDNEY, 1.0, kind="tor"), "success")):
        after = learn(past, attempt, outcome)  # type: ignore[arg-type]
        assert after.last_place == past.last_place if past else False


def test_the_persons_own_gateways_say_less() -> None:
    """A telephone that comes out in another city at each connection gets used to it."""
    there = at(SYDNEY, 2.0, prefix="203.0.113.0/24")
    often = [at(SYDNEY, -1000.0 - n, prefix="203.0.113.0/24") for n in range(3)]
    assert impossible(there, *often, at(BERLIN, 0.0)) == 0.25


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    """Bulk and single agree to the bit."""
    rows = [gather(encoders(), at(SYDNEY, hours), history(at(BERLIN, 0.0))) for hours in (0.5, 7.0, 300.0)]
    assert speeds_kmh(table(rows)).tolist() == [float(speeds_kmh(table([row]))[0]) for row in rows]
