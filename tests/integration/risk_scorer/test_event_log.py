"""The event log: the newest in memory, everything on disk, and an announcement that is never without its event."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.partitions import after, begins, month_of
from plumbing.refusals import Refused
from risk_scorer.adapters.event_log import EventLog
from risk_scorer.adapters.event_months import EventMonths
from risk_scorer.adapters.tables import outbox as outbox_rows
from risk_scorer.flows.announce import high_risk_message
from risk_scorer.flows.ports import ScoredEvent
from tests.integration.risk_scorer.observations import NOW, scored
from webhooks.outbox import Outbox

pytestmark = pytest.mark.anyio
RunSql = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def make_log(database: Database, clock: FixedClock) -> Callable[..., EventLog]:
    def make(**changes: Any) -> EventLog:
        wishes = {"recent_max": 3, "announce_to": "announcements", "wake_delivery": lambda: None, **changes}
        return EventLog(database, clock=clock, **wishes)

    return make


def event_ids(found: list[ScoredEvent]) -> list[str]:
    return [each.score.event_id for each in found]


def stored_events(run_sql: RunSql) -> int:
    return int(run_sql("SELECT coalesce(sum(events), 0) FROM scored_events")[0][0])


def stored_rows(run_sql: RunSql, table: str) -> int:
    return int(run_sql(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - our own names


@contextmanager
def held(url: str) -> Iterator[None]:
    """Nobody else gets to write meanwhile."""
    server = None if url.startswith("sqlite") else psycopg.connect(url)
    file = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None) if server is None else None
    if file is not None:
        file.execute("BEGIN IMMEDIATE")
    if server is not None:
        server.execute("LOCK TABLE scored_events IN EXCLUSIVE MODE")
    try:
        yield
    finally:
        for each in (file, server):
            if each is not None:
                each.rollback()
                each.close()


def make_impatient(database: Database) -> None:
    """The writer waits for seconds for a lock; the tests need not."""

    def job(tx: Any) -> None:
        if hasattr(tx, "_cursor"):
            tx._cursor.connection.execute("SET lock_timeout = '50ms'")
        else:
            tx._connection.execute("PRAGMA busy_timeout=50")

    database.write_sync(job)


async def test_the_newest_events_come_first_and_no_more_than_asked(make_log: Callable[..., EventLog]) -> None:
    """The ring keeps RECENT_MAX events and hands out the newest."""
    log = make_log()
    for number in range(5):
        log.record([scored(event_id=f"e{number}")])
    assert event_ids(log.recent(10)) == ["e4", "e3", "e2"]
    assert event_ids(log.recent(1)) == ["e4"]


@pytest.mark.parametrize("event_id", ["e0", 'quo"te\\n', "é/王", "evt_9"])
async def test_one_event_is_found_in_the_ring_or_on_the_disk(
    make_log: Callable[..., EventLog], database: Database, event_id: str
) -> None:
    """The newest recent one of its id, the first of the log after a new start; elsewhere in an event it is none."""
    log = make_log()
    for score in (10.0, 20.0):
        log.record([scored(score, event_id), scored(score, f"{event_id}0", user_id=event_id)])
    database.write_sync(lambda _: None)  # whatever was posted before this is on the disk after it
    for each, expected in ((log, 20.0), (make_log(), 10.0)):
        found = await each.find(event_id)
        assert found is not None
        assert (found.score.event_id, found.score.risk_score) == (event_id, expected)
        assert await each.find(event_id[:-1]) is None


async def test_an_event_is_found_however_long_ago_it_was_and_gone_when_pruned(
    make_log: Callable[..., EventLog], database: Database, run_sql: RunSql
) -> None:
    """Any event of the log is at hand, and what was pruned leaves no place behind."""
    log = make_log()
    for number in range(300):
        log.record([scored(event_id=f"e{number}")])
        database.write_sync(lambda _: None)  # so that each event has a row of its own
    found = await make_log().find_many(["e0", "nobody", "e299"])
    assert [each and each.score.event_id for each in found] == ["e0", None, "e299"]
    assert await log.prune(NOW + 1) == stored_rows(run_sql, "event_places") + 300 == 300
    assert await make_log().find_many(["e0"]) == [None]


async def test_what_was_scored_this_moment_is_found(make_log: Callable[..., EventLog]) -> None:
    """Whoever gets an answer may speak about its event at once, though the log is written a little later."""
    log = make_log()
    log.record([scored(event_id="now")])
    [found] = await log.find_many(["now"])
    assert found is not None


async def test_what_was_scored_first_under_an_id_is_what_is_found(
    make_log: Callable[..., EventLog], database: Database, clock: FixedClock, run_sql: RunSql
) -> None:
    """Whoever scores something else under a used id does not take its place, and it leaves with its own row."""
    log = make_log()
    first = scored(event_id="e1")
    other = msgspec.structs.replace(first, score=msgspec.structs.replace(first.score, ts_scored=NOW + 50))
    await log.record_and_announce([first, other], [])
    await log.record_and_announce([other], [])
    assert await log.find_many(["e1"]) == [first]
    assert await log.prune(NOW + 100) == 2
    assert await log.find_many(["e1"]) == [None]


async def test_a_new_start_shows_what_the_log_holds(make_log: Callable[..., EventLog], database: Database) -> None:
    """The ring is filled from the disk, newest first."""
    log = make_log()
    log.record([scored(event_id=f"e{number}") for number in range(5)])
    database.write_sync(lambda _: None)  # whatever was posted before this is on the disk after it
    again = make_log()
    deadline = time.monotonic() + 5
    while not again.recent(1) and time.monotonic() < deadline:
        again.fill()
    assert event_ids(again.recent(10)) == ["e4", "e3", "e2"]


async def test_an_announced_event_and_its_message_are_on_disk_together(
    make_log: Callable[..., EventLog], database: Database, run_sql: RunSql
) -> None:
    """When the call returns, another process sees both rows, and the delivery worker was woken."""
    woken: list[bool] = []
    log, loud = make_log(wake_delivery=lambda: woken.append(True)), scored(95.0, "loud")
    await log.record_and_announce([loud], [high_risk_message(loud, tenant="t")])
    assert stored_events(run_sql) == 1
    assert stored_rows(run_sql, "outbox") == 1
    assert woken == [True]


async def test_the_same_event_is_announced_once(
    make_log: Callable[..., EventLog], database: Database, run_sql: RunSql
) -> None:
    """A caller that scores an event again gets its answer; the receiver gets one message."""
    log, loud = make_log(), scored(95.0, "loud")
    for _ in range(2):
        await log.record_and_announce([loud], [high_risk_message(loud, tenant="t")])
    assert stored_events(run_sql) == 2
    assert database.read(Outbox(outbox_rows).depth) == 1


async def test_what_cannot_be_announced_durably_is_refused(
    make_log: Callable[..., EventLog], database: Database, run_sql: RunSql, scorer_url: str
) -> None:
    """While another process holds the database a quiet score is recorded later or never, and a loud one is a 503."""
    make_impatient(database)
    log, loud = make_log(), scored(95.0, "loud")
    with held(scorer_url):
        log.record([scored(event_id="quiet")])
        with pytest.raises(Refused) as caught:
            await log.record_and_announce([loud], [high_risk_message(loud, tenant="t")])
    assert caught.value.status == 503
    assert event_ids(log.recent(10)) == ["quiet"]
    assert stored_rows(run_sql, "outbox") == 0


async def test_what_a_held_database_did_not_take_is_written_later(
    make_log: Callable[..., EventLog], database: Database, run_sql: RunSql, clock: FixedClock, scorer_url: str
) -> None:
    """Quiet scores wait in memory while another process holds the database; the next one after it brings them all."""
    make_impatient(database)
    log = make_log()
    with held(scorer_url):
        log.record([scored(event_id="e1")])
        with pytest.raises(Refused):  # the post went with this one or before it, and failed
            await log.record_and_announce([scored(event_id="loud")], [])
    clock.advance(10.0)
    log.record([scored(event_id="e2")])
    deadline = time.monotonic() + 5
    while stored_events(run_sql) < 2 and time.monotonic() < deadline:
        await database.write(lambda _: None)
    assert stored_events(run_sql) == 2


async def test_many_events_share_a_row_and_none_is_lost(
    make_log: Callable[..., EventLog], database: Database, run_sql: RunSql
) -> None:
    """However the writer's thread and the recording interleave, every event is written once."""
    log = make_log()
    for number in range(3000):
        log.record([scored(event_id=f"e{number}")])
        if number % 50 == 0:
            await asyncio.sleep(0.001)
    database.close()  # finishes what was posted
    assert stored_events(run_sql) == 3000
    assert stored_rows(run_sql, "scored_events") < 3000


async def test_what_waits_is_bounded(
    make_log: Callable[..., EventLog], monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    """While the disk takes nothing, memory does not grow for ever: what is dropped is counted."""
    monkeypatch.setattr(database, "post", lambda *_job: None)
    log = make_log()
    for _ in range(21):
        log.record([scored()] * 1000)
    assert log.dropped == 1000


async def test_a_row_of_another_version_is_left_out(make_log: Callable[..., EventLog], run_sql: RunSql) -> None:
    """One unreadable row does not keep the service from starting."""
    log = make_log()
    for event_id in ("good", "odd"):
        await log.record_and_announce([scored(event_id=event_id)], [])

    run_sql("UPDATE scored_events SET body = '[{}]' WHERE id = (SELECT max(id) FROM scored_events)")
    again = make_log()
    again.fill()
    assert event_ids(again.recent(10)) == ["good"]


async def test_old_events_are_pruned(make_log: Callable[..., EventLog], run_sql: RunSql) -> None:
    """Retention removes from the disk what is older, and nothing else."""
    log = make_log()
    for number in range(5):
        await log.record_and_announce([scored(event_id=f"e{number}")], [])
    assert await log.prune(NOW) == 0
    assert await log.prune(NOW + 1) == 5
    assert stored_events(run_sql) == 0


async def test_old_months_go_with_all_that_leads_to_them(
    make_log: Callable[..., EventLog], database: Database, run_sql: RunSql
) -> None:
    """On a server the log goes by the month, once all of it is old; what is younger stays, and is found."""
    if database.engine.dialect.name == "sqlite":
        return  # a file is pruned row by row, as above
    [(now,)] = run_sql("SELECT extract(epoch FROM now())::float8")
    first = begins(after(month_of(now)))
    second = begins(after(month_of(first)))
    log = make_log()
    for name, ts in (("old", first + 1.0), ("late", second - 1.0), ("young", second)):
        event = scored(event_id=name)
        score = msgspec.structs.replace(event.score, ts_scored=ts)
        await log.record_and_announce([msgspec.structs.replace(event, score=score)], [])
    months = EventMonths(database, clock=FixedClock(second))
    await months.prune(second - 0.001)
    assert stored_events(run_sql) == 3
    assert await months.prune(second) == 1
    assert [each and each.score.event_id for each in await log.find_many(["old", "late", "young"])] == [
        None,
        None,
        "young",
    ]
    assert stored_rows(run_sql, "event_places") == stored_events(run_sql) == 1
    assert await EventMonths(database, clock=FixedClock(second)).prune(second) == 0
