"""A history learns what is a person's own, and only from logins that ended well."""

import msgspec
import pytest

from risk_scorer.core.facts import IpFacts
from risk_scorer.core.history import (
    EMPTY,
    MOST_VALUES,
    OutcomeKind,
    decode,
    encode,
    last_seen_at,
    learn,
    logins_with,
    usual_place,
)
from tests.unit.risk_scorer.core.small import HOME, NOON, STRANGE, known, seen


@pytest.mark.parametrize("outcome", ["success", "mfa_passed"])
def test_a_finished_login_teaches_its_context(outcome: OutcomeKind) -> None:
    """After it, every value of the login is known, with its count and time."""
    after = learn(None, HOME, outcome)
    assert (after.logins, logins_with(after.device, "dev-1"), last_seen_at(after.device, "dev-1")) == (1, 1, int(NOON))
    for level in ("ip", "prefix", "country", "os", "browser", "browser_version", "device_type", "ja4", "ja4h", "ja4s"):
        assert logins_with(getattr(after, level), getattr(HOME, level)) == 1
    assert logins_with(after.asn, "64500") == 1
    assert after.hours[12] == 1
    assert list(after.place) == ["37.5,-122"]


@pytest.mark.parametrize("outcome", ["failure", "mfa_failed"])
def test_a_failed_login_teaches_nothing_but_that_it_failed(outcome: OutcomeKind) -> None:
    """An attacker who guesses five hundred times is as strange as before."""
    before = known()
    after = before
    for _ in range(500):
        after = learn(after, STRANGE, outcome)
    assert (after.failures, after.failures_since_success, after.last_failure) == (500, 500, int(NOON))
    assert (after.heat, after.heat_at) == (500.0, int(NOON))
    forgiven = msgspec.structs.replace(after, failures=0, failures_since_success=0, last_failure=0, heat=0.0, heat_at=0)
    assert forgiven == before


def test_a_success_ends_a_row_of_failures() -> None:
    """The total stays, the row starts anew."""
    failed = learn(known(), HOME, "failure")
    assert (learn(failed, HOME, "success").failures, learn(failed, HOME, "success").failures_since_success) == (1, 0)


def test_learning_leaves_the_history_it_started_from_alone() -> None:
    """`learn` returns a new value; a score computed meanwhile sees the old one whole."""
    before = known(3)
    stored = encode(before)
    learn(before, STRANGE, "success")
    learn(before, STRANGE, "failure")
    assert encode(before) == stored
    assert EMPTY.logins == 0
    assert EMPTY.device == {}


def test_a_history_is_bounded_and_forgets_the_least_recent() -> None:
    """The 33rd device pushes out the one that was not seen for longest, not the oldest one that is still in use."""
    history = learn(None, seen(device_id="first"), "success")
    for number in range(MOST_VALUES - 1):
        history = learn(history, seen(device_id=f"other-{number}"), "success")
    history = learn(history, seen(device_id="first"), "success")
    history = learn(history, seen(device_id="new"), "success")
    assert len(history.device) == MOST_VALUES
    assert "first" in history.device
    assert "other-0" not in history.device


def test_a_missing_value_is_a_value_of_its_own() -> None:
    """Whoever always brings a device id and suddenly brings none has changed something."""
    history = learn(known(), seen(device_id=""), "success")
    assert (logins_with(history.device, ""), logins_with(known().device, "")) == (1, 0)


def test_a_stored_history_comes_back_as_it_was() -> None:
    """Order included: it is the order of forgetting."""
    history = learn(known(), STRANGE, "success")
    back = decode(encode(history))
    assert back == history
    assert list(back.device) == list(history.device)


WRITTEN_BEFORE_PLACES_WERE_KEPT = bytes.fromhex(
    "dc0018040100ce5f4e0d90ce5f4f8940ce5f4e37c0dc001800000000000000000001010101000000000000000000000004cb"
    "bffae18fd946221fcbc00599ff352fa250cb400368ce1e84a42681a56465762d31cf000000045f4f894081ac3139382e3531"
    "2e3130302e39cf000000045f4f894081af3139382e35312e3130302e302f3234cf000000045f4f894081a53634353030cf00"
    "0000045f4f894081a25553cf000000045f4f894081a76465736b746f70cf000000045f4f894081a84d6163204f532058cf00"
    "0000045f4f894081a746697265666f78cf000000045f4f894081ab46697265666f7820313430cf000000045f4f894081d924"
    "743133643135313668325f3864616166363135323737315f303237313364366166383632cf000000045f4f894081a4676531"
    "31cf000000045f4f894081a3743133cf000000045f4f894081a933372e352c2d313232cf000000045f4f8940"
)
"""Four logins and a failure, with the 24 fields that a history had at first."""


def test_a_history_stored_before_it_knew_more_is_read_whole() -> None:
    """What it has is kept, what it lacks is unknown, and it goes on learning."""
    old = decode(WRITTEN_BEFORE_PLACES_WERE_KEPT)
    assert (old.logins, old.failures, old.placed, sum(old.hours)) == (4, 1, 4, 4)
    assert (logins_with(old.device, "dev-1"), logins_with(old.place, "37.5,-122")) == (4, 4)
    assert (old.zone, old.home, old.clusters, old.last_place, old.gaps, old.heat) == ({}, "", (), None, 0, 0.0)
    after = learn(old, HOME, "success")
    assert decode(encode(after)) == after
    assert len(after.clusters) == 1


@pytest.mark.parametrize("stored", [b"", b"\x90\x90", b"\xa3abc", b"\x91\xa1x"])
def test_a_damaged_history_is_an_error_not_a_guess(stored: bytes) -> None:
    """What `encode` did not write is refused."""
    with pytest.raises(msgspec.MsgspecError):
        decode(stored)


def test_an_event_from_the_past_does_not_turn_the_clock_back() -> None:
    """Outcomes may arrive late; last seen is the latest, first seen the earliest."""
    history = learn(learn(None, HOME, "success"), seen(ts=NOON - 9000.0), "success")
    assert (history.first_seen, history.last_seen) == (int(NOON) - 9000, int(NOON))
    assert last_seen_at(history.device, "dev-1") == int(NOON)


def test_the_usual_place_is_a_mean_that_survives_the_date_line() -> None:
    """Between 179° east and 179° west lies 180°, not Greenwich."""
    history = None
    for longitude in (179.0, -179.0):
        history = learn(history, seen(network=IpFacts(latitude=0.0, longitude=longitude)), "success")
    assert history is not None
    place = usual_place(history)
    assert place is not None
    assert (place[0], abs(place[1])) == (pytest.approx(0.0, abs=1e-9), pytest.approx(180.0))


def test_places_that_cancel_out_and_no_places_have_no_middle() -> None:
    """Unknown is said, not invented."""
    history = None
    for latitude in (90.0, -90.0):
        history = learn(history, seen(network=IpFacts(latitude=latitude, longitude=0.0)), "success")
    assert history is not None
    assert usual_place(history) is None
    assert usual_place(EMPTY) is None


def test_a_history_is_small_and_a_hostile_one_is_bounded() -> None:
    """A hundred logins of somebody with four devices fit into 3 kB; values as long as may be sent, into 60 kB."""
    ordinary, hostile = None, None
    for login in range(100):
        when = NOON + login * 43_200.0
        place = IpFacts(latitude=10.0 * (login % 3), longitude=0.0, accuracy_km=20.0)
        ordinary = learn(ordinary, seen(ts=when, device_id=f"device-{login % 4}", network=place), "success")
        long = dict.fromkeys(("device_id", "ja4", "ja4h", "ja4s"), f"{login:0256d}")
        hostile = learn(hostile, seen(ts=when, network=place, ip=f"2001:db8::{login:x}", **long), "success")
    assert ordinary is not None
    assert hostile is not None
    assert len(encode(ordinary)) < 3_000
    assert len(encode(hostile)) < 60_000
