"""The numbers about a login: exact, unknown where unknown, and told apart from what they are packed in."""

import math
from typing import Any

import pytest

from risk_scorer.core.facts import FingerprintFacts, IpFacts, Pressure, SessionFacts
from risk_scorer.core.history import UserHistory, learn
from risk_scorer.core.observation import Observation
from risk_scorer.core.signals import COLUMNS, GATHERED, LEVELS, PLACE, gather, table
from tests.unit.risk_scorer.core.small import HOME, NOON, STRANGE, encoders, known, seen


def column(name: str, now: Observation, past: UserHistory | None, **around: Any) -> float:
    row = gather(encoders(), now, past, **around)
    assert len(row) == len(GATHERED)
    return float(table([row])[0, PLACE[name]])


def test_counts_and_ages_are_told_apart() -> None:
    """How often, and how long ago, for every level; never is no age."""
    now = seen(ts=NOON + 0.5)
    for level in LEVELS:
        assert (column(f"seen_{level}", now, known(3)), column(f"age_{level}", now, known(3))) == (3.0, 3600.5)
        assert column(f"seen_{level}", STRANGE, known(3)) == 0.0
        assert math.isnan(column(f"age_{level}", STRANGE, known(3)))


@pytest.mark.parametrize("logins", [1, 400, 2**20, 2**21 - 1])
def test_a_packed_number_is_taken_apart_to_the_second(logins: int) -> None:
    """A float64 holds it up to two million logins."""
    past = UserHistory(logins=logins, device={"dev-1": logins << 32 | int(NOON) - 1})
    assert (column("seen_device", HOME, past), column("age_device", HOME, past)) == (logins, 1.0)


def test_a_late_report_is_of_no_age() -> None:
    """What was seen after it is not less than new."""
    assert column("age_device", seen(ts=NOON - 86_400.0), known(3)) == 0.0


def test_no_event_is_no_row() -> None:
    """An empty bulk request."""
    assert table([]).shape == (0, len(COLUMNS))


def test_columns_have_names_of_their_own() -> None:
    """None is written over another."""
    assert len(set(COLUMNS)) == len(COLUMNS) == len(PLACE)


def test_failures_cool_by_the_hour() -> None:
    """Eight just now are four in an hour; the row of failures stays until a success."""
    past = known()
    for _ in range(8):
        past = learn(past, STRANGE, "failure")
    assert column("heat", STRANGE, past) == 8.0
    assert column("heat", seen(ts=NOON + 3600.0), past) == pytest.approx(4.0)
    assert column("heat", seen(ts=NOON - 3600.0), past) == 8.0
    assert column("failures_since", seen(ts=NOON + 3600.0), past) == 8.0


def test_a_failure_reported_late_has_cooled() -> None:
    """In whatever order they come, they add up to the same."""
    early, late = seen(ts=NOON), seen(ts=NOON + 3600.0)
    one = learn(learn(None, early, "failure"), late, "failure")
    other = learn(learn(None, late, "failure"), early, "failure")
    assert (one.heat, one.heat_at) == (pytest.approx(other.heat), other.heat_at)
    assert one.heat == pytest.approx(1.5)


BERLIN, SYDNEY = IpFacts(latitude=52.5, longitude=13.4), IpFacts(latitude=-33.9, longitude=151.2, accuracy_km=300.0)


def test_a_place_has_a_share_and_a_distance() -> None:
    """Three logins of four were here."""
    past: UserHistory | None = None
    for network in (BERLIN, BERLIN, BERLIN, SYDNEY):
        past = learn(past, seen(network=network), "success")
    here, there = seen(network=BERLIN), seen(network=IpFacts(latitude=0.0, longitude=0.0))
    assert column("place_share", here, past) == pytest.approx(0.75)
    assert column("place_km", here, past) == pytest.approx(0.0, abs=1e-3)
    assert (column("place_share", there, past), column("place_km", there, past)) == (0.0, pytest.approx(5970, rel=1e-3))


def test_an_unknown_place_has_neither() -> None:
    """Not of the login, and not of the person."""
    past = learn(None, seen(network=BERLIN), "success")
    for now, before in ((seen(network=IpFacts()), past), (HOME, None)):
        assert math.isnan(column("place_share", now, before))
        assert math.isnan(column("place_km", now, before))


def test_a_rough_place_reaches_as_far_as_it_is_rough() -> None:
    """Two hundred kilometres from home, told to within three hundred, may be home."""
    past = learn(None, seen(network=SYDNEY), "success")
    for accuracy, share in ((300.0, 1.0), (100.0, 0.0), (None, 0.0)):
        near = IpFacts(latitude=-32.1, longitude=151.2, accuracy_km=accuracy)
        assert column("place_share", seen(network=near), past) == share


def test_a_network_that_is_anybodys_makes_no_place_usual() -> None:
    """A Tor exit's city stays strange, whoever passed a second factor there."""
    past = learn(known(), STRANGE, "mfa_passed")
    assert past.clusters == known().clusters
    assert past.last_place == known().last_place


def test_pressure_and_malware_are_passed_on() -> None:
    """As they were found."""
    around = Pressure(network_failures=1.0, network_people=2.0, network_logins=3.0, device_failures=4.0,
                      device_people=5.0, device_logins=6.0)  # fmt: skip
    names = GATHERED[-6:]
    assert [column(name, HOME, None, pressure=around) for name in names] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert [column(name, HOME, None) for name in names] == [0.0] * 6
    assert column("malicious", seen(fingerprint=FingerprintFacts(parses=True, is_malicious=True)), None) == 1.0


BEGAN = SessionFacts(
    prefix="198.51.100.0/24", asn_key="64500", country="US", browser="Firefox", os="Mac OS X", device_type="desktop",
    device_id="dev-1", ja4="t13d1516h2_8daaf6152771_02713d6af862",
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({}, 0.0),
        ({"browser_version": "Firefox 141"}, 0.0),
        ({"browser": "Chrome"}, 1.0),
        ({"os": "Windows"}, 1.0),
        ({"device_id": "dev-2"}, 1.0),
        ({"ja4": "t13d1516h2_111111111111_02713d6af862"}, 1.0),
        ({"ja4": "t13d1517h2_8daaf6152771_b6f405a00624"}, 0.0),
        ({"ja4": "q13d0310h3_55b375c5d22e_cd85d2d88918"}, 0.0),
        ({"ja4": "bad"}, 1.0),
        ({"browser": "", "os": ""}, 1.0),
        ({"device_id": "", "ja4": ""}, 0.0),
    ],
    ids=[
        "same", "update", "browser", "system", "device", "ciphers", "extensions", "quic", "malformed", "no agent",
        "unknown",
    ],
)  # fmt: skip
def test_a_session_that_goes_on_elsewhere_is_noticed(changes: dict[str, Any], changed: float) -> None:
    """Another client is, and one that gives no user agent; an update, QUIC and what is not known are not."""
    assert column("session_client", seen(session=BEGAN, **changes), known()) == changed
    assert column("session_client", seen(session=SessionFacts(), **changes), known()) == 0.0
    assert column("session_client", seen(**changes), known()) == 0.0


ELSEWHERE = "203.0.113.0/24"


@pytest.mark.parametrize(
    ("prefix", "asn", "country", "changed"),
    [
        ("198.51.100.0/24", 64500, "US", 0.0),
        (ELSEWHERE, 64500, "US", 0.0),
        (ELSEWHERE, 64511, "US", 0.5),
        (ELSEWHERE, 64511, "", 0.5),
        (ELSEWHERE, 64511, "DE", 1.0),
        (ELSEWHERE, 64500, "DE", 0.0),
        (ELSEWHERE, 0, "DE", 1.0),
        (ELSEWHERE, 0, "", 0.0),
    ],
)
def test_a_session_that_moves_is_told_by_operator_and_country(
    prefix: str, asn: int, country: str, changed: float
) -> None:
    """A telephone roams with its own operator; people change from Wi-Fi to mobile; what is unknown is no change."""
    now = {"prefix": prefix, "network": IpFacts(asn=asn, country=country)}
    assert column("session_network", seen(session=BEGAN, **now), known()) == changed
    assert column("session_network", seen(session=SessionFacts(), **now), known()) == 0.0


def test_what_an_event_says_of_its_own_network_does_not_move_its_session() -> None:
    """The session's network was looked up, so the request's is compared as looked up."""
    now = seen(session=BEGAN, prefix=ELSEWHERE, asn_key="1", country="DE", network=IpFacts(asn=64500, country="US"))
    assert column("session_network", now, known()) == 0.0
