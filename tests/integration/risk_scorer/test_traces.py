"""A trace's chain of services, where two scorers see parts of it and where a restart cuts it."""

import pytest

from plumbing.database import Database
from risk_scorer.adapters.activity.memory_rows import write_memories
from risk_scorer.adapters.activity.memory_store import MemoryStore
from risk_scorer.core.activity.detectors.service_pivot import ServicePivot
from risk_scorer.core.activity.finding import Finding
from risk_scorer.core.activity.memory import Around
from risk_scorer.core.activity.seen import Seen
from risk_scorer.flows.activity.ports import Place
from tests.integration.risk_scorer import test_activity_memory

pytestmark = pytest.mark.anyio
NOW = test_activity_memory.NOW
scorer = test_activity_memory.scorer  # the fixture: one more scorer on that database
Scorer = test_activity_memory.Scorer
PIVOT = ServicePivot()
USUAL, CHAIN = ("shop", "cart", "payments"), ("shop", "people", "vault", "backup")


async def gone_through(
    database: Database, stores: list[MemoryStore], services: tuple[str, ...], *, trace: str, user: str = "mallory"
) -> list[float]:
    """What each hop of a trace says, in nats; the stores see them in turns."""
    said = []
    for number, service in enumerate(services):
        store = stores[number % len(stores)]
        seen = Seen(
            ts=NOW + number, event_id=f"{trace}.{number}", user_id=user, session_id=f"ses-{user}", endpoint="/x",
            action="GET /x", service=service, trace_id=trace, peers="clerks",
        )  # fmt: skip
        places: list[Place] = [("session", seen.session_id), ("peers", seen.peers), ("trace", trace)]
        memory = store.at(places)
        around = Around({}, memory[places[0]], memory[places[1]], {}, {}, memory[places[2]])
        found = PIVOT.look(seen, around)
        said.append(found.nats if isinstance(found, Finding) else 0.0)
        if user != "mallory":  # what is suspicious teaches nobody
            PIVOT.learn(seen, around)
        PIVOT.note(seen, around)
        written = store.changed(places)
        lost = await database.write(lambda tx, written=written: write_memories(tx, written, NOW))  # type: ignore[misc]
        store.settle(written, lost)
    return said


async def learned(database: Database, store: MemoryStore) -> None:
    """Peers have gone the usual way often enough, and it is on the disk."""
    for number in range(80):
        user = f"clerk-{number % 12}"
        assert not any(await gone_through(database, [store], USUAL, trace=f"usual-{number}", user=user))
    await store.flush()


async def test_two_scorers_that_see_hops_of_one_trace_in_turns_see_the_whole_chain(
    database: Database, scorer: Scorer
) -> None:
    """What a trace went through is written with each event where scorers share a database."""
    one, other = scorer(), scorer()
    await learned(database, one)
    alone = await gone_through(database, [other], CHAIN, trace="t-1")
    shared = await gone_through(database, [one, other], CHAIN, trace="t-2")
    assert shared == pytest.approx(alone, rel=0.1)
    assert shared[-1] > 2 * shared[1] > 0.0


async def test_a_chain_that_a_restart_cut_counts_from_there_on(database: Database, scorer: Scorer) -> None:
    """A scorer by itself keeps traces in memory; which ways are usual is on the disk, so the next chain is whole."""
    before = scorer(is_alone=True)
    await learned(database, before)
    whole = await gone_through(database, [before], CHAIN, trace="t-1")
    assert any(await gone_through(database, [before], CHAIN[:2], trace="t-2"))
    await before.flush()
    after = scorer(is_alone=True)
    cut = await gone_through(database, [after], CHAIN[2:], trace="t-2")
    assert cut[0] == 0.0
    assert 0.0 < cut[1] < whole[-1]
    assert await gone_through(database, [after], CHAIN, trace="t-3") == pytest.approx(whole, rel=0.1)
