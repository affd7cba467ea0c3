"""Pressure fades, counts people once, stays within bounds, and nothing that an attacker does brings it down."""

import random
from math import exp2
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk_scorer.core import pressure
from risk_scorer.core.facts import NO_PRESSURE, Pressure
from risk_scorer.core.history import OutcomeKind
from risk_scorer.core.observation import Observation
from risk_scorer.core.pressure import HALF_LIFE_SECONDS, MOST_PEOPLE, Crowd
from tests.unit.risk_scorer.core.small import HOME, NOON, STRANGE

Story = list[tuple[float, str, OutcomeKind]]
"""Seconds after noon, who, how it ended."""


def attempt(**fields: Any) -> Observation:
    """A login from the stranger's context."""
    return msgspec.structs.replace(STRANGE, **fields)


def after(story: Story, **fields: Any) -> Crowd:
    """What a crowd knows when these logins from the stranger's context have ended."""
    crowd = Crowd()
    for seconds, user, outcome in story:
        crowd.learn(attempt(ts=NOON + seconds, user_id=user, **fields), outcome)
    return crowd


def numbers(found: Pressure) -> list[float]:
    return [getattr(found, name) for name in Pressure.__struct_fields__]


def test_nothing_learned_is_no_pressure() -> None:
    """A crowd that heard of other places only says so with the one value there is for it."""
    assert Crowd().around(STRANGE) is NO_PRESSURE
    assert after([(0, "bob", "failure")]).around(HOME) is NO_PRESSURE


def test_failures_people_and_logins_are_told_apart() -> None:
    """Three failures for two people and one who got in, at the network and at the device."""
    story: Story = [(0, "bob", "failure"), (0, "bob", "mfa_failed"), (0, "carol", "failure"), (0, "dave", "mfa_passed")]
    assert numbers(after(story).around(STRANGE)) == [3.0, 2.0, 1.0, 3.0, 2.0, 1.0]


@pytest.mark.parametrize(("half_lives", "left"), [(0, 1.0), (1, 0.5), (2, 0.25), (48, exp2(-48)), (2000, 0.0)])
def test_everything_halves_every_half_hour(half_lives: float, left: float) -> None:
    """Of the events' own time; after ages it is nothing and no error."""
    crowd = after([(0, "bob", "failure"), (0, "carol", "failure"), (0, "dave", "success")])
    later = attempt(ts=NOON + half_lives * HALF_LIFE_SECONDS)
    assert numbers(crowd.around(later)) == [2 * left, 2 * left, left] * 2


def test_a_person_failed_for_again_is_fresh_and_still_one() -> None:
    """Five hundred guesses at one password are one person, as of the last guess."""
    crowd = after([(n * 10, "bob", "failure") for n in range(500)])
    found = crowd.around(attempt(ts=NOON + 4990))
    assert found.network_people == pytest.approx(1.0, abs=1e-9)
    assert 100 < found.network_failures < 500


def test_a_person_let_in_again_is_one_login() -> None:
    """A program that signs in every ten seconds is no crowd that gets in."""
    crowd = after([(n * 10, "robot", "success") for n in range(500)])
    assert crowd.around(attempt(ts=NOON + 4990)).network_logins == pytest.approx(1.0, abs=1e-9)


def test_the_busier_of_address_and_network_is_told() -> None:
    """One guess each from a hundred addresses of a network is a hundred guesses at the network."""
    crowd = Crowd()
    for n in range(50):
        crowd.learn(attempt(ip=f"203.0.113.{n}", device_id=f"d{n}", user_id=f"u{n}"), "failure")
    found = crowd.around(attempt(ip="203.0.113.250", device_id="unseen"))
    assert (found.network_people, found.network_failures, found.device_failures) == (50.0, 50.0, 0.0)


def test_an_address_outlives_a_network_that_was_forgotten() -> None:
    """What is left of the two is told."""
    crowd = Crowd()
    crowd.learn(attempt(prefix=""), "failure")
    assert crowd.around(STRANGE).network_failures == 1.0


def test_unknown_parts_are_nobodys() -> None:
    """Logins without device, address or network do not press on each other."""
    blank = attempt(ip="", prefix="", device_id="")
    crowd = Crowd()
    crowd.learn(blank, "failure")
    assert len(crowd) == 0
    assert crowd.around(blank) is NO_PRESSURE


def test_a_device_that_calls_itself_an_address_presses_on_nobody() -> None:
    """A device's name is the caller's word: it must not be counted where an address is."""
    crowd = Crowd()
    for name in (HOME.ip, HOME.prefix):
        crowd.learn(attempt(device_id=name), "failure")
    assert crowd.around(HOME) is NO_PRESSURE


@pytest.mark.parametrize("outcome", ["success", "mfa_passed"])
def test_finished_logins_never_lower_what_presses(outcome: OutcomeKind) -> None:
    """An attacker who signs in to his own account a thousand times leaves failures and people as they are.

    Nor does he hide the share that fails among them: it is one person who got in.
    """
    crowd = after([(n, f"u{n}", "failure") for n in range(30)])
    before = crowd.around(attempt(ts=NOON + 30))
    for _ in range(1000):
        crowd.learn(attempt(ts=NOON + 30, user_id="mallory"), outcome)
    found = crowd.around(attempt(ts=NOON + 30))
    assert (found.network_failures, found.network_people) == (before.network_failures, before.network_people)
    assert (found.device_failures, found.device_people) == (before.device_failures, before.device_people)
    assert (found.network_logins, found.device_logins) == (1.0, 1.0)


def test_looking_changes_nothing() -> None:
    """However often somebody asks, and about whatever moment."""
    crowd = after([(0, "bob", "failure")])
    before = crowd.around(STRANGE)
    for n in range(-200, 200):
        crowd.around(attempt(ts=NOON + n * 3600, ip=f"10.0.0.{n % 250}"))
    assert crowd.around(STRANGE) == before
    assert len(crowd) == 3


def test_a_stamp_from_the_future_does_not_make_the_present_fade() -> None:
    """A clock gone wrong, or a lie: it counts as now, and so does a question about the future."""
    crowd = after([(0, "bob", "failure")])
    crowd.learn(attempt(ts=NOON + 1e9, user_id="carol"), "failure", now=NOON)
    assert crowd.around(STRANGE, now=NOON).network_people == 2.0
    assert crowd.around(attempt(ts=NOON + 1e9), now=NOON).network_people == 2.0


def test_a_question_about_the_past_gets_the_newest_numbers() -> None:
    """Too much rather than too little."""
    crowd = after([(0, "bob", "failure"), (3600, "carol", "failure")])
    assert crowd.around(STRANGE).network_people == crowd.around(attempt(ts=NOON + 3600)).network_people == 1.25


def test_what_is_late_and_old_does_not_push_out_what_is_fresh() -> None:
    """Sixty-four stale reports delivered after sixty-four fresh ones leave the fresh ones counted."""
    crowd = after([(86_400, f"fresh-{n}", "failure") for n in range(MOST_PEOPLE)])
    for n in range(MOST_PEOPLE):
        crowd.learn(attempt(ts=NOON, user_id=f"stale-{n}"), "failure")
    assert crowd.around(attempt(ts=NOON + 86_400)).network_people == pytest.approx(MOST_PEOPLE, abs=1e-9)


def test_people_in_hundreds_are_counted_though_not_all_are_remembered() -> None:
    """A thousand people failed for once are a thousand; of them the latest 64 would be known again."""
    crowd = after([(n / 1000, f"u{n}", "failure") for n in range(1000)])
    assert crowd.around(attempt(ts=NOON + 1)).network_people == pytest.approx(1000, rel=1e-3)
    before = crowd.around(attempt(ts=NOON + 1)).network_people
    crowd.learn(attempt(ts=NOON + 1, user_id=f"u{1000 - MOST_PEOPLE}"), "failure")
    assert crowd.around(attempt(ts=NOON + 1)).network_people == pytest.approx(before, abs=1e-3)


def test_the_least_recently_learned_of_is_forgotten_first() -> None:
    """Keys beyond the bound leave in that order; asking about one does not keep it."""
    crowd = Crowd(most_keys=6)
    for n in range(3):
        crowd.learn(attempt(ip=f"10.0.{n}.1", prefix=f"10.0.{n}.0/24", device_id=f"d{n}"), "failure")
        crowd.around(attempt(ip="10.0.0.1", prefix="10.0.0.0/24", device_id="d0"))
    assert len(crowd) == 6
    first = attempt(ip="10.0.0.1", prefix="10.0.0.0/24", device_id="d0")
    assert crowd.around(first) is NO_PRESSURE
    assert crowd.around(attempt(ip="10.0.1.1")).network_failures == 1.0


def test_people_are_bounded_over_all_keys_too() -> None:
    """Many addresses failing for many people forget the oldest addresses, not the bound."""
    crowd = Crowd(most_people_in_all=100)
    outcomes: list[OutcomeKind] = ["failure", "success"]
    for n in range(2000):
        place = attempt(ip=f"10.0.{n // 60}.1", prefix="", device_id="", user_id=f"u{n}")
        crowd.learn(place, outcomes[n % 2])
    assert 1 <= len(crowd) <= 4
    found = crowd.around(attempt(ip="10.0.33.1", prefix=""))
    assert (found.network_people, found.network_logins) == (10.0, 10.0)
    for n in range(1000):  # the count behind the bound must not drift when people leave one by one
        crowd.learn(attempt(ip="10.0.33.1", prefix="", device_id="", user_id=f"v{n}"), "failure")
    assert crowd.around(attempt(ip="10.0.33.1", prefix="")).network_people == 1010.0


def plainly(story: Story, seconds: float) -> list[float]:
    """The definition: what is left of each failure, of each person's last failure, of each person's last login."""

    def left(then: float) -> float:
        return exp2((then - seconds) / HALF_LIFE_SECONDS)

    def last(ended: list[tuple[float, str]]) -> float:
        return sum(left(max(then for then, who in ended if who == user)) for user in {who for _, who in ended})

    failed = [(then, user) for then, user, outcome in story if outcome in ("failure", "mfa_failed")]
    let_in = [(then, user) for then, user, outcome in story if outcome in ("success", "mfa_passed")]
    return [sum(left(then) for then, _ in failed), last(failed), last(let_in)] * 2


OUTCOMES = st.sampled_from(["success", "mfa_passed", "mfa_failed", "failure"])
PEOPLE = st.integers(0, MOST_PEOPLE - 1).map(lambda n: f"u{n}")
STORIES = st.lists(st.tuples(st.floats(0, 86_400), PEOPLE, OUTCOMES), min_size=1, max_size=150)


@given(STORIES)
def test_any_order_of_delivery_comes_to_what_is_defined(story: Story) -> None:
    """Reports arrive late and mixed up; the sums are those of the events' own times, and never negative."""
    end = max(then for then, _, _ in story)
    found = numbers(after(story).around(attempt(ts=NOON + end)))
    assert found == pytest.approx(plainly(story, end), abs=1e-9)
    assert min(found) >= 0.0


def test_nothing_learned_ever_presses_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand attempts of every sort: after each, failures and people are what they were or more."""
    monkeypatch.setattr(pressure, "MOST_PEOPLE", 8)
    chance, crowd, now = random.Random(11), Crowd(), NOON
    for _ in range(10_000):
        now += chance.choice([0.0, 0.5, 30.0])
        late = chance.choice([0.0, 0.0, 5.0, 4000.0])
        here = attempt(ts=now)
        before = crowd.around(here)
        outcome: OutcomeKind = chance.choice(["failure", "mfa_failed", "success"])
        crowd.learn(attempt(ts=now - late, user_id=f"u{chance.randrange(20)}"), outcome)
        found = crowd.around(here)
        assert found.network_failures >= before.network_failures - 1e-9
        assert found.network_people >= before.network_people - 1e-9
