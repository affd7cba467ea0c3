"""Verdicts and histories together: whatever comes in whatever order, only what stands is in the history."""

import asyncio
import math
import random
from collections.abc import Callable, Mapping
from typing import Any, get_args

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.adapters.verdict_store import VerdictStore
from risk_scorer.contract.feedback import OutcomeKind, VerdictKind
from risk_scorer.core.facts import NO_AGENT_FACTS, NO_FINGERPRINT_FACTS, IpFacts
from risk_scorer.core.history import OWN, UserHistory, learn_taught, logins_with
from risk_scorer.core.observation import Observation, observe
from risk_scorer.core.standing import judged, standing
from risk_scorer.core.verdicts import Taught, taught_by
from risk_scorer.flows.ports import JudgedLogin, Judgement, Lesson
from tests.integration.risk_scorer.observations import NOW, event

pytestmark = pytest.mark.anyio
RunSql = Callable[[str], list[tuple[Any, ...]]]
COUNTED = ("device", "ip", "prefix", "asn", "country", "device_type", "os", "browser", "ja4", "place", "zone")
PLACES = ((59.9, 10.7), (40.7, -74.0), (None, None))


@pytest.fixture
def profiles(database: Database, clock: FixedClock) -> ProfileStore:
    return ProfileStore(database, clock=clock, cached_users=2)


@pytest.fixture
def store(database: Database, profiles: ProfileStore, clock: FixedClock) -> VerdictStore:
    return VerdictStore(database, profiles=profiles, clock=clock)


def login(number: int) -> Observation:
    """One of eight logins of two people; some share a network, a device or neither, one network is anybody's."""
    latitude, longitude = PLACES[number % 3]
    network = IpFacts(asn=100 + number % 3, latitude=latitude, longitude=longitude, is_listed=number == 5)
    reported = event(
        event_id=f"evt_{number}",
        user_id=f"u{number % 2}",
        ip=f"198.51.{number % 3}.{number}",
        device_id=f"dev-{number // 2 % 3}",
        ja4="t13d1516h2_8daaf6152771_02713d6af862" if number % 2 else None,
        timestamp=NOW + 600 * number,
    )
    return observe(
        reported,
        address=reported.ip,
        now=NOW,
        event_id="unused",
        network=network,
        agent=NO_AGENT_FACTS,
        fingerprint=NO_FINGERPRINT_FACTS,
    )


LOGINS = [login(number) for number in range(8)]


def lesson(number: int, outcome: OutcomeKind = "success", outcome_id: str | None = None) -> Lesson:
    return Lesson(event_id=outcome_id or f"evt_{number}", observation=LOGINS[number], outcome=outcome)


def verdict(number: int, kind: VerdictKind, **changes: Any) -> Judgement:
    seen = LOGINS[number]
    found = JudgedLogin(event=event(user_id=seen.user_id), score=None, context=taught_by(seen, "success"))
    wishes = {"event_id": f"evt_{number}", "verdict": kind, "by": "soc", "reason": "", "ts": NOW, "login": found}
    return Judgement(**{**wishes, **changes})


class WhatIsKnown:
    """The plain account of everything that was told, and the history that follows from it from scratch."""

    def __init__(self) -> None:
        self.own: dict[int, list[Taught]] = {number: [] for number in range(len(LOGINS))}
        self.verdicts: dict[int, VerdictKind] = {}
        self.order: list[int] = []
        self.failures = {"u0": 0, "u1": 0}
        self.marks: dict[str, tuple[set[str], set[str]]] = {"u0": (set(), set()), "u1": (set(), set())}

    def rebuilt(self, user: str) -> UserHistory:
        history = UserHistory()
        for number, seen in enumerate(LOGINS):
            if seen.user_id == user:
                context = taught_by(seen, "success")
                for taught in standing(self.verdicts.get(number), tuple(self.own[number]), context):
                    history = learn_taught(history, taught)
        return history

    def judge(self, number: int, kind: VerdictKind) -> None:
        if self.verdicts.get(number) == kind:
            return
        self.verdicts[number] = kind
        self.order = [*(other for other in self.order if other != number), number]
        user = LOGINS[number].user_id
        mine = [each for each in self.order if LOGINS[each].user_id == user]
        of: dict[str, list[Taught]] = {
            kind: [taught_by(LOGINS[each], "success") for each in mine if self.verdicts[each] == kind]
            for kind in get_args(VerdictKind)
        }
        after = judged(self.rebuilt(user), safe=of["confirmed_safe"], compromised=of["confirmed_compromised"])
        assert after is not None
        self.marks[user] = set(after.pardoned), set(after.condemned)


def assert_same(found: UserHistory, expected: UserHistory) -> None:
    """Equal as far as counts go; when a value was last seen before it was taken out is not known any more."""
    assert found.logins == expected.logins
    assert sum(found.hours) == sum(expected.hours)
    assert found.hours == expected.hours
    for name in COUNTED:
        assert counts(getattr(found, name)) == counts(getattr(expected, name)), name
    assert found.placed == expected.placed
    for axis in ("east", "north", "up"):
        assert math.isclose(getattr(found, axis), getattr(expected, axis), abs_tol=1e-9), axis
    assert len(found.clusters) == len(expected.clusters)


def counts(seen: Mapping[str, int]) -> dict[str, int]:
    return {value: logins_with(dict(seen), value) for value in seen}


@pytest.mark.parametrize("seed", range(25))
async def test_only_what_stands_is_in_the_history(
    store: VerdictStore, profiles: ProfileStore, clock: FixedClock, seed: int
) -> None:
    """Any sequence of outcomes and verdicts ends where learning only what stands ends, in memory and on the disk."""
    chance, known = random.Random(seed), WhatIsKnown()
    seen: set[tuple[bool, str]] = set()
    for step in range(60):
        number = chance.randrange(len(LOGINS))
        clock.advance(1.0)
        if chance.random() < 0.5:
            kind = chance.choice(get_args(VerdictKind))
            assert await store.record([verdict(number, kind)]) == (known.verdicts.get(number) == kind)
            known.judge(number, kind)
            continue
        outcome = chance.choice(get_args(OutcomeKind))
        outcome_id = chance.choice([f"evt_{number}", f"step_{number}_{step % 2}"])
        await profiles.learn([lesson(number, outcome, outcome_id)])
        if (outcome in OWN, outcome_id) not in seen:
            seen.add((outcome in OWN, outcome_id))
            if outcome in OWN:
                known.own[number].append(taught_by(LOGINS[number], outcome))
            else:
                known.failures[LOGINS[number].user_id] += 1
    for user in ("u0", "u1"):
        [found] = profiles.get_many([user])
        [stored] = ProfileStore(store._database, clock=clock).get_many([user])
        assert found == stored
        found = found or UserHistory()
        assert_same(found, known.rebuilt(user))
        assert found.failures == known.failures[user]
        assert (set(found.pardoned), set(found.condemned)) == known.marks[user]


async def test_a_verdict_that_is_told_twice_is_recorded_once(store: VerdictStore, profiles: ProfileStore) -> None:
    """Inside a request or later, the first of the same verdicts stands and the history moves once."""
    await profiles.learn([lesson(0)])
    assert await store.record([verdict(0, "confirmed_safe"), verdict(0, "confirmed_safe", by="other")]) == 1
    [before] = profiles.get_many(["u0"])
    assert await store.record([verdict(0, "confirmed_safe", login=None)]) == 1
    assert profiles.get_many(["u0"]) == [before]


async def test_two_at_once_leave_one_verdict_and_the_history_that_belongs_to_it(
    store: VerdictStore, profiles: ProfileStore, run_sql: RunSql
) -> None:
    """Whichever is committed last wins, together with what it means."""
    await profiles.learn([lesson(0), lesson(2)])
    kinds: list[VerdictKind] = ["confirmed_compromised", "confirmed_safe", "dismissed"] * 5
    await asyncio.gather(*(store.record([verdict(0, kind)]) for kind in kinds))
    known = WhatIsKnown()
    for number in (0, 2):
        known.own[number].append(taught_by(LOGINS[number], "success"))
    [(last,)] = run_sql("SELECT verdict FROM verdicts")
    known.judge(0, last)
    [found] = profiles.get_many(["u0"])
    assert found is not None
    assert_same(found, known.rebuilt("u0"))
    assert (set(found.pardoned), set(found.condemned)) == known.marks["u0"]


async def test_a_request_is_recorded_whole_or_not_at_all(store: VerdictStore, profiles: ProfileStore) -> None:
    """What fails in the middle leaves neither verdict nor history behind."""
    await profiles.learn([lesson(0)])
    with pytest.raises(KeyError):
        await store.record([verdict(0, "confirmed_compromised"), verdict(2, "dismissed", login=None)])
    [found] = profiles.get_many(["u0"])
    assert found is not None
    assert (found.logins, found.condemned) == (1, {})
    assert [kept.is_judged for kept in await store.remembered(["evt_0", "evt_2"])] == [False, False]


async def test_a_dismissal_changes_no_history(store: VerdictStore, profiles: ProfileStore) -> None:
    """Nobody gets a history by being looked at."""
    assert await store.record([verdict(0, "dismissed")]) == 0
    assert profiles.get_many(["u0"]) == [None]


async def test_a_verdict_outlives_the_outcomes(store: VerdictStore, profiles: ProfileStore, clock: FixedClock) -> None:
    """After retention has taken the outcome's row a changed verdict still finds what it had taught."""
    await profiles.learn([lesson(0)])
    await store.record([verdict(0, "confirmed_compromised")])
    assert await profiles.prune(clock.now() + 1) == 1
    await store.record([verdict(0, "dismissed", login=None)])
    [found] = profiles.get_many(["u0"])
    assert found is not None
    assert found.logins == 1


async def test_what_was_learned_before_lessons_were_kept_is_taken_back_as_it_is_seen_now(
    store: VerdictStore, profiles: ProfileStore, run_sql: RunSql
) -> None:
    """Rows of an earlier version have no lesson; the login itself says what it must have taught."""
    await profiles.learn([lesson(0), lesson(2)])
    run_sql("UPDATE seen_outcomes SET lesson = NULL")
    await store.record([verdict(0, "confirmed_compromised")])
    [found] = profiles.get_many(["u0"])
    assert found is not None
    assert (found.logins, list(found.ip)) == (1, ["198.51.2.2"])


async def test_recent_lessons_come_in_the_order_they_were_told(profiles: ProfileStore, clock: FixedClock) -> None:
    """After a restart what is being tried around is known again; of failures only that is kept."""
    for number, outcome in ((4, "success"), (1, "failure"), (3, "mfa_failed")):
        await profiles.learn([lesson(number, outcome)])
        clock.advance(10.0)
    found = list(profiles.recent_lessons(NOW + 10.0))
    assert [(each.user_id, each.outcome, each.ip) for each in found] == [
        ("u1", "failure", "198.51.1.1"),
        ("u1", "mfa_failed", "198.51.0.3"),
    ]
    assert {each.prefix for each in found} == {"198.51.1.0/24", "198.51.0.0/24"}
    assert {each.device_id for each in found} == {"dev-0", "dev-1"}
    assert {each.ja4 + each.browser + each.country for each in found} == {""}
    [*everything] = profiles.recent_lessons(0.0)
    assert everything[0] == taught_by(LOGINS[4], "success")


@pytest.mark.parametrize("pages", [1, 3])
async def test_more_lessons_than_a_page_are_all_told_once(
    profiles: ProfileStore, monkeypatch: pytest.MonkeyPatch, pages: int, make_page: Callable[[int], None]
) -> None:
    """Lessons of one moment that a page ends between are neither lost nor told twice."""
    make_page(pages)
    await profiles.learn([lesson(number) for number in range(7)])
    assert [each.ip for each in profiles.recent_lessons(0.0)] == [seen.ip for seen in LOGINS[:7]]


@pytest.fixture
def make_page(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    from plumbing.statements import Statement
    from risk_scorer.adapters import lesson_rows

    def make(rows: int) -> None:
        smaller: Any = lesson_rows.SINCE.expression
        monkeypatch.setattr(lesson_rows, "SINCE", Statement(smaller.limit(rows)))

    return make
