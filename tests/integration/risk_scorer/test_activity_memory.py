"""Memories that several scorers share, that leave memory, and that were not written yet when a process died."""

from collections.abc import Callable
from typing import Any

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.refusals import Refused
from risk_scorer.adapters.activity.memory_rows import Written, write_memories
from risk_scorer.adapters.activity.memory_store import MemoryStore
from risk_scorer.core.activity.detectors import ALL
from risk_scorer.core.activity.engine import Engine
from risk_scorer.core.activity.evidence import NAME, Evidence, Held
from risk_scorer.core.activity.memory import SCOPES, Memory
from risk_scorer.core.session_evidence import SIGNALLED, Signalled
from risk_scorer.flows.activity.ports import Place

pytestmark = pytest.mark.anyio
NOW = 1_760_000_000.0
ENGINE = Engine(ALL)
SESSION: Place = ("session", "ses-1")
Scorer = Callable[..., MemoryStore]


@pytest.fixture
def scorer(database: Database) -> Scorer:
    """One more scorer on that database."""

    def parts(scope: Any) -> dict[str, Any]:
        return ENGINE.parts(scope) | ({SIGNALLED: Signalled} if scope == "session" else {})

    def made(*, is_alone: bool = False, most: int = 100) -> MemoryStore:
        bounds = dict.fromkeys(SCOPES, most)
        return MemoryStore(database, clock=FixedClock(NOW), parts=parts, most=bounds, is_alone=is_alone)

    return made


def found(memory: Memory, detector: str, nats: float) -> None:
    evidence = memory.setdefault(NAME, Evidence(at=NOW, began=NOW - 5))
    evidence.held[detector] = Held(nats=nats, code=detector)
    evidence.events += 1


def nats_of(memory: Memory) -> dict[str, float]:
    return {name: held.nats for name, held in memory[NAME].held.items()}


async def write(database: Database, store: MemoryStore, written: list[Written]) -> list[Place]:
    lost = await database.write(lambda tx: write_memories(tx, written, NOW))
    store.settle(written, lost)
    return lost


async def test_two_scorers_that_judge_one_session_at_once_lose_no_risk(database: Database, scorer: Scorer) -> None:
    """Whoever comes second adds its evidence to the first one's, and both read the sum the next time."""
    one, other = scorer(), scorer()
    found(one.at([SESSION])[SESSION], "volume", 4.0)
    theirs = other.at([SESSION])[SESSION]
    found(theirs, "several_actors", 5.0)
    found(theirs, "volume", 1.0)
    assert await write(database, one, one.changed([SESSION])) == []
    assert await write(database, other, other.changed([SESSION])) == [SESSION]
    for store in (one, other):
        assert nats_of(store.at([SESSION])[SESSION]) == {"volume": 4.0, "several_actors": 5.0}


async def test_a_baseline_has_learned_once_less_and_goes_on(database: Database, scorer: Scorer) -> None:
    """Of a person the first one's stands; the second reads it and writes after it."""
    place: Place = ("person", "alice")
    one, other = scorer(), scorer()
    found(one.at([place])[place], "a", 1.0)
    found(other.at([place])[place], "b", 1.0)
    assert await write(database, one, one.changed([place])) == []
    assert await write(database, other, other.changed([place])) == [place]
    again = other.at([place])[place]
    again["hours"] = ENGINE.parts("person")["hours"]()
    assert await write(database, other, other.changed([place])) == []
    assert "hours" in one.at([place])[place]


async def test_a_factor_pardons_although_another_scorer_judged_meanwhile(database: Database, scorer: Scorer) -> None:
    """Evidence that one has pardoned does not come back with the other's."""
    one, other = scorer(), scorer()
    found(one.at([SESSION])[SESSION], "volume", 4.0)
    await write(database, one, one.changed([SESSION]))
    mine, theirs = one.at([SESSION])[SESSION], other.at([SESSION])[SESSION]
    found(theirs, "volume", 4.0)
    mine[NAME].held["volume"] = Held(nats=0.0, pardoned=4.0, code="volume")
    mine[SIGNALLED] = Signalled(pardons=1)
    await write(database, other, other.changed([SESSION]))
    assert await write(database, one, one.changed([SESSION])) == [SESSION]
    left = one.at([SESSION])[SESSION]
    assert (left[NAME].held["volume"].nats - left[NAME].held["volume"].pardoned, left[SIGNALLED].pardons) == (0.0, 1)


async def test_memory_is_bounded_and_what_left_comes_back(database: Database, scorer: Scorer) -> None:
    """A scorer alone writes behind: what is not used longest leaves, packed, and is read again."""
    store = scorer(is_alone=True, most=10)
    places: list[Place] = [("session", f"ses-{number}") for number in range(35)]
    for number, place in enumerate(places):
        found(store.at([place])[place], "volume", float(number))
        assert store.changed([place]) == []
    assert store.held["session"] == 10
    assert [nats_of(store.at([place])[place])["volume"] for place in places] == [float(n) for n in range(35)]
    assert await store.flush() == 35
    assert (store.waiting, await store.flush()) == (0, 0)
    fresh = scorer(is_alone=True)
    assert nats_of(fresh.at([places[3]])[places[3]]) == {"volume": 3.0}


async def test_what_could_not_be_written_waits_for_the_next_flush(database: Database, scorer: Scorer) -> None:
    """A database that takes nothing for a while costs nothing but time."""
    store, write_soon = scorer(is_alone=True), database.write
    found(store.at([SESSION])[SESSION], "volume", 2.0)
    store.changed([SESSION])

    async def refused(_job: Any) -> Any:
        raise Refused("storage_unavailable", "", status=503)

    database.write = refused  # type: ignore[method-assign] # a database that refuses
    with pytest.raises(Refused):
        await store.flush()
    database.write = write_soon  # type: ignore[method-assign]
    assert (store.waiting, await store.flush()) == (1, 1)
    assert nats_of(scorer(is_alone=True).at([SESSION])[SESSION]) == {"volume": 2.0}


async def test_what_was_not_kept_is_forgotten(database: Database, scorer: Scorer) -> None:
    """An event whose transaction failed has taught nothing, so sending it again counts it once."""
    store = scorer(is_alone=True)
    found(store.at([SESSION])[SESSION], "volume", 2.0)
    store.changed([SESSION])
    await store.flush()
    found(store.at([SESSION])[SESSION], "hours", 6.0)
    store.changed([SESSION])
    store.undo([SESSION])
    assert nats_of(store.at([SESSION])[SESSION]) == {"volume": 2.0}


async def test_copies_are_of_what_is_known_and_move_nothing(database: Database, scorer: Scorer) -> None:
    """From memory, from what leaves it and from the disk; nothing is taken in, and a change in them is nobody's."""
    places: list[Place] = [("session", name) for name in ("here", "leaving", "stored", "nobody")]
    before, store = scorer(), scorer(is_alone=True, most=1)
    found(before.at([places[2]])[places[2]], "stored", 3.0)
    await write(database, before, before.changed([places[2]]))
    for place in (places[1], places[0]):
        found(store.at([place])[place], place[1], 1.0)
        store.changed([place])

    async def known() -> list[list[str]]:
        copies = await store.copies(places)
        return [list(copies[place].get(NAME, Evidence()).held) for place in places]

    state = (store.held, list(store._dirty), list(store._leaving))
    assert state[1:] == ([places[0]], [places[1]])
    for copy in (await store.copies(places)).values():
        found(copy, "tried", 9.0)
    assert await known() == [["here"], ["leaving"], ["stored"], []]
    assert (store.held, list(store._dirty), list(store._leaving)) == state


async def test_copies_are_what_another_scorer_wrote_last(database: Database, scorer: Scorer) -> None:
    """Where several share a database, what one has read before is not what is known."""
    one, other = scorer(), scorer()
    one.at([SESSION])
    found(other.at([SESSION])[SESSION], "volume", 4.0)
    await write(database, other, other.changed([SESSION]))
    assert nats_of((await one.copies([SESSION]))[SESSION]) == {"volume": 4.0}
