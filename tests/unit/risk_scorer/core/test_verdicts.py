"""Verdicts change histories by exactly what they say, and can be taken back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk_scorer.core.facts import IpFacts
from risk_scorer.core.history import EMPTY, UserHistory, encode, learn, logins_with
from risk_scorer.core.lessons import OutcomeKind
from risk_scorer.core.observation import Observation
from risk_scorer.core.verdicts import (
    Taught,
    condemn,
    decode_taught,
    encode_taught,
    learn_taught,
    pardon,
    taught_by,
    uncondemn,
    unlearn,
    unpardon,
)
from tests.unit.risk_scorer.core.small import HOME, NOON, STRANGE, known, seen

VALUES = (
    "device", "ip", "prefix", "asn", "country", "device_type", "os", "browser", "browser_version", "ja4", "ja4h",
    "ja4s", "place", "zone",
)  # fmt: skip
MOSCOW = IpFacts(latitude=55.75, longitude=37.62)
ATTACK = msgspec.structs.replace(
    STRANGE, ts=NOON + 600.0, network=MOSCOW, ip_rep=0.0, zone="Europe/Moscow", utc_offset_s=10_800
)
"""A stolen password and a relayed code, from a network with nothing against it."""


def logins_by_value(history: UserHistory) -> dict[str, dict[str, int]]:
    return {name: {value: logins_with(getattr(history, name), value) for value in getattr(history, name)}
            for name in VALUES}  # fmt: skip


@pytest.mark.parametrize("outcome", ["success", "mfa_passed", "mfa_failed", "failure"])
@pytest.mark.parametrize("observation", [HOME, STRANGE, seen(network=IpFacts(), zone="")])
def test_a_kept_lesson_teaches_what_the_login_taught(outcome: OutcomeKind, observation: Observation) -> None:
    """Stored and read back, it is the same lesson."""
    taught = taught_by(observation, outcome)
    assert decode_taught(encode_taught(taught)) == taught
    assert learn_taught(known(), taught) == learn(known(), observation, outcome)


@pytest.mark.parametrize("stored", [b"", b"\x90", b"\xa3abc", b"\x81\xa1a\x01"])
def test_a_damaged_lesson_is_an_error_not_a_guess(stored: bytes) -> None:
    """What was not written by us teaches nothing."""
    with pytest.raises(msgspec.MsgspecError):
        decode_taught(stored)


def test_an_unlearned_login_leaves_nothing_of_itself() -> None:
    """Every value, place, zone and hour of it is gone, and the owner's are as before."""
    before = known()
    after = unlearn(learn(before, ATTACK, "mfa_passed"), taught_by(ATTACK, "mfa_passed"))
    assert logins_by_value(after) == logins_by_value(before)
    assert (after.logins, after.hours, after.placed) == (before.logins, before.hours, before.placed)
    assert (after.last_seen, after.clusters) == (before.last_seen, before.clusters)
    assert (after.east, after.north, after.up) == pytest.approx((before.east, before.north, before.up))


def test_where_the_person_was_before_an_unlearned_login_is_unknown_and_not_impossible() -> None:
    """The owner's next login is not held against the attacker's place."""
    taken = learn(known(), ATTACK, "mfa_passed")
    assert taken.last_place is not None
    assert taken.last_place[0] == 55.75
    assert unlearn(taken, taught_by(ATTACK, "mfa_passed")).last_place is None


def test_a_shared_value_is_counted_down_and_stays() -> None:
    """An attacker with the owner's kind of browser does not take it along."""
    attack = msgspec.structs.replace(ATTACK, browser="Firefox")
    after = unlearn(learn(known(3), attack, "success"), taught_by(attack, "success"))
    assert logins_with(after.browser, "Firefox") == 3


def test_the_only_login_unlearned_leaves_a_person_without_history() -> None:
    """As if it had never been."""
    after = unlearn(learn(None, ATTACK, "success"), taught_by(ATTACK, "success"))
    assert (after.logins, after.first_seen, after.last_seen, sum(after.hours)) == (0, 0, 0, 0)
    assert set(map(len, logins_by_value(after).values())) == {0}
    assert (after.clusters, after.east, after.north, after.up) == ((), 0.0, 0.0, 0.0)


def test_an_unlearned_failure_is_no_failure() -> None:
    """What it never taught stays as it was."""
    after = unlearn(learn(known(), ATTACK, "mfa_failed"), taught_by(ATTACK, "mfa_failed"))
    assert (after.failures, after.failures_since_success, after.logins) == (0, 0, 20)


def test_unlearning_what_was_never_learned_goes_below_nothing() -> None:
    """Counts stop at zero."""
    for outcome in ("success", "failure"):
        after = unlearn(EMPTY, taught_by(ATTACK, outcome))
        assert (after.logins, after.failures, after.placed, min(after.hours)) == (0, 0, 0, 0)


def test_a_condemned_context_is_remembered_but_for_what_is_the_persons_own() -> None:
    """Their own browser, copied by the attacker, is not held against them."""
    attack = taught_by(msgspec.structs.replace(ATTACK, browser_version="Firefox 140", device_id=""), "failure")
    condemned = condemn(known(), attack).condemned
    assert set(condemned) == {"ip:203.0.113.200", "prefix:203.0.113.0/24", "asn:64511", "ja4:bad"}


def test_a_condemned_context_teaches_nothing() -> None:
    """It is known to be bad and still not known as the person's."""
    after = condemn(known(), taught_by(ATTACK, "failure"))
    assert logins_by_value(after) == logins_by_value(known())


def test_two_condemnations_take_two_to_take_back() -> None:
    """Each verdict counts by itself."""
    attack = taught_by(ATTACK, "failure")
    twice = condemn(condemn(known(), attack), attack)
    once = uncondemn(twice, attack)
    assert set(once.condemned) == set(twice.condemned)
    assert uncondemn(once, attack).condemned == {}


def test_a_pardoned_login_becomes_the_persons_own() -> None:
    """Denied on a trip and confirmed by telephone: the next login is at home there, though the network is listed."""
    trip = taught_by(STRANGE, "failure")
    assert not trip.taught_network
    after = pardon(known(), trip)
    assert (after.logins, after.failures_since_success) == (21, 0)
    assert [logins_with(getattr(after, name), value) for name, value in
            (("device", "dev-x"), ("prefix", "203.0.113.0/24"), ("country", "RU"))] == [1, 1, 1]  # fmt: skip
    assert len(after.clusters) == 2
    assert {"ip:203.0.113.200", "device:dev-x", "ja4:bad"} <= set(after.pardoned)
    assert not {"prefix:203.0.113.0/24", "asn:64511"} & set(after.pardoned), "the next address there is anybody's"


def test_a_pardon_adds_only_what_the_login_had_not_taught() -> None:
    """It counts once; a listed network that it came from is learned now."""
    for observation in (HOME, STRANGE):
        before = learn(known(), observation, "mfa_passed")
        after = pardon(before, taught_by(observation, "mfa_passed"))
        assert (after.logins, sum(after.hours)) == (21, 21)
        assert logins_with(after.prefix, observation.prefix) >= 1
        assert logins_with(after.device, observation.device_id) == logins_with(before.device, observation.device_id)


@pytest.mark.parametrize("outcome", ["success", "mfa_failed"])
@pytest.mark.parametrize("observation", [HOME, STRANGE, ATTACK])
def test_a_pardon_can_be_taken_back(observation: Observation, outcome: OutcomeKind) -> None:
    """All of it, and no more."""
    before, taught = learn(known(), observation, outcome), taught_by(observation, outcome)
    after = unpardon(pardon(before, taught), taught)
    assert logins_by_value(after) == logins_by_value(before)
    assert (after.logins, after.hours, after.pardoned) == (before.logins, before.hours, {})


def test_what_is_pardoned_is_not_condemned() -> None:
    """The later verdict on the same network does not lock its owner out."""
    taught = taught_by(ATTACK, "failure")
    assert condemn(pardon(known(), taught), taught).condemned == {}


def test_verdicts_are_bounded() -> None:
    """A hundred of them leave the newest values."""
    history = known()
    for number in range(100):
        history = condemn(history, taught_by(seen(ip=f"192.0.2.{number}", device_id=f"bad-{number}"), "failure"))
    assert len(history.condemned) == 32
    assert "device:bad-99" in history.condemned


TIMES = st.floats(NOON, NOON + 300 * 86_400)
PLACES = st.sampled_from([None, (52.5, 13.4), (52.4, 13.1), (37.3, -121.9), (-33.9, 151.2), (0.0, 179.9)])
ZONES = st.sampled_from([("", 0), ("Europe/Berlin", 7200), ("Europe/Berlin", 3600), ("Asia/Kolkata", 19_800)])


@st.composite
def lessons(draw: st.DrawFn) -> Taught:
    place, (zone, offset) = draw(PLACES), draw(ZONES)
    network = IpFacts(latitude=place[0], longitude=place[1]) if place else IpFacts()
    observation = seen(
        ts=draw(TIMES),
        device_id=draw(st.sampled_from(["", "a", "b"])),
        ip_rep=draw(st.sampled_from([0.0, 90.0])),
        network=network,
        zone=zone,
        utc_offset_s=offset,
    )
    return taught_by(observation, draw(st.sampled_from(["success", "mfa_passed", "failure"])))


@given(st.lists(lessons(), max_size=12), lessons(), st.lists(lessons(), max_size=4))
def test_whatever_was_learned_can_be_unlearned(before: list[Taught], wrong: Taught, later: list[Taught]) -> None:
    """The other lessons' values stay, whatever the order; nothing goes below nothing and it can still be stored."""
    expected: UserHistory = EMPTY
    for lesson in (*before, *later):
        expected = learn_taught(expected, lesson)
    history: UserHistory = EMPTY
    for lesson in (*before, wrong, *later):
        history = learn_taught(history, lesson)
    history = unlearn(history, wrong)
    assert logins_by_value(history) == logins_by_value(expected)
    assert (history.logins, history.failures, history.placed) == (expected.logins, expected.failures, expected.placed)
    assert sum(history.hours) == sum(expected.hours)
    assert all(cluster[3] > 0.0 for cluster in history.clusters)
    assert len(encode(history)) > 0
