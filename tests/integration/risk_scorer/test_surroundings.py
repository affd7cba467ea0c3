"""What is tried around is heard once, from what is on the disk, and heard again after a restart."""

import random
from typing import Any

import msgspec
import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.refusals import Refused
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.core.facts import NO_PRESSURE, Pressure
from risk_scorer.core.history import OutcomeKind
from risk_scorer.flows.ports import Lesson
from risk_scorer.flows.surroundings import Surroundings
from tests.integration.risk_scorer.observations import NOW, observation

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600.0, 86_400.0


def opened(database: Database, clock: FixedClock) -> tuple[ProfileStore, Surroundings]:
    """A store and surroundings as a start joins them."""
    store, surroundings = ProfileStore(database, clock=clock), Surroundings(clock=clock)
    surroundings.recall(store)
    store.listen(surroundings.hear)
    return store, surroundings


def lesson(event_id: str, outcome: OutcomeKind = "failure", **fields: Any) -> Lesson:
    return Lesson(event_id=event_id, observation=observation(**fields), outcome=outcome)


def around(surroundings: Surroundings, **fields: Any) -> list[float]:
    [found] = surroundings.around([observation(**fields)])
    return list(msgspec.structs.astuple(found))


async def test_an_outcome_told_twice_is_heard_once(database: Database, clock: FixedClock) -> None:
    """Webhooks are delivered at least once; neither a repetition nor one inside a batch presses more."""
    store, surroundings = opened(database, clock)
    await store.learn([lesson("e1", timestamp=NOW), lesson("e1", timestamp=NOW)])
    await store.learn([lesson("e1", timestamp=NOW), lesson("e2", timestamp=NOW)])
    assert around(surroundings, timestamp=NOW) == [2.0, 1.0, 0.0, 2.0, 1.0, 0.0]


async def test_an_outcome_told_again_after_a_restart_is_heard_once(database: Database, clock: FixedClock) -> None:
    """What the disk knows, nobody brings as news."""
    store, _ = opened(database, clock)
    await store.learn([lesson("e1", timestamp=NOW)])
    again, surroundings = opened(database, clock)
    assert await again.learn([lesson("e1", timestamp=NOW)]) == 0
    assert around(surroundings, timestamp=NOW)[0] == 1.0


def story(seed: int, outcomes: int) -> list[tuple[float, Lesson]]:
    """A few days of people and attackers: when an outcome comes in, and what it tells."""
    chance, told = random.Random(seed), []
    for number in range(outcomes):
        then = NOW + chance.random() * 3 * DAY
        fields = {
            "user_id": f"u{chance.randrange(90)}",
            "ip": f"198.51.{chance.randrange(2)}.{chance.randrange(4)}",
            "device_id": f"dev-{chance.randrange(3)}",
            "timestamp": then - chance.choice([0.0, 2.0, HOUR]),
        }
        told.append((then, lesson(f"e{number}", chance.choice(["failure", "mfa_failed", "success"]), **fields)))
    return sorted(told, key=lambda each: each[0])


@pytest.mark.parametrize("seed", range(3))
async def test_a_restart_changes_no_pressure(database: Database, clock: FixedClock, seed: int) -> None:
    """After days of outcomes the newest day alone says the same, at every address and device, then and later."""
    store, before = opened(database, clock)
    for then, each in story(seed, 600):
        clock.advance(then - clock.now())
        await store.learn([each])
    _, after = opened(database, clock)
    for host in range(4):
        for later in (0.0, HOUR):
            fields = {"ip": f"198.51.1.{host}", "device_id": f"dev-{host}", "timestamp": clock.now() + later}
            assert around(after, **fields) == pytest.approx(around(before, **fields), abs=1e-9)
    assert around(after, ip="198.51.1.1", device_id="dev-1", timestamp=clock.now())[1] > 0.1


async def test_what_is_older_than_a_day_is_not_read_again(database: Database, clock: FixedClock) -> None:
    """A start after a week of failures reads a day of them."""
    store, _ = opened(database, clock)
    for day in range(7):
        await store.learn([lesson(f"e{day}", timestamp=clock.now())])
        clock.advance(DAY)
    clock.advance(-DAY / 2)
    assert Surroundings(clock=clock).recall(store) == 1


async def test_a_time_beyond_our_clock_is_now(database: Database, clock: FixedClock) -> None:
    """An event from the year 2090 neither blinds an address nor reads as long after everything."""
    store, surroundings = opened(database, clock)
    await store.learn([lesson("e1", timestamp=3_786_912_000.0, user_id="bob"), lesson("e2", timestamp=clock.now())])
    assert around(surroundings, timestamp=clock.now())[:2] == [2.0, 2.0]
    assert around(surroundings, timestamp=3_786_912_000.0)[:2] == [2.0, 2.0]


async def test_a_lesson_that_could_not_be_stored_is_not_heard(database: Database, clock: FixedClock) -> None:
    """What the caller was not told to be learned will come again, and must count once then."""
    store, surroundings = opened(database, clock)
    database.close()
    with pytest.raises(Refused):
        await store.learn([lesson("e1")])
    assert surroundings.around([observation()]) == [NO_PRESSURE]


async def test_every_login_of_a_batch_is_told_its_own(database: Database, clock: FixedClock) -> None:
    """In their order."""
    store, surroundings = opened(database, clock)
    await store.learn([lesson("e1", timestamp=NOW)])
    elsewhere = observation(ip="192.0.2.1", device_id="")
    found = surroundings.around([elsewhere, observation(timestamp=NOW), elsewhere])
    assert [found[0], found[2]] == [NO_PRESSURE] * 2
    assert found[1] == Pressure(network_failures=1.0, network_people=1.0, device_failures=1.0, device_people=1.0)
