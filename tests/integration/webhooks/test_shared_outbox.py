"""Workers of several processes empty one outbox, on each kind of database: no message is two workers' at once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from sqlalchemy import MetaData

from plumbing.database import Database
from webhooks.outbox import Message, Outbox, outbox_table

METADATA = MetaData()
OUTBOX = Outbox(outbox_table(METADATA))
WORKERS = 4


@pytest.fixture
def workers(database_url: str) -> Iterator[list[Database]]:
    """One database, opened by each of them."""
    with ExitStack() as stack:
        opened = [Database.open(database_url, metadata=METADATA) for _ in range(WORKERS)]
        for database in opened:
            stack.callback(database.close)
        METADATA.create_all(opened[0].engine)
        yield opened


def add(database: Database, name: str, *, now: float = 1.0) -> None:
    database.write_sync(
        lambda tx: OUTBOX.add(tx, message_id=name, endpoint="siem", event_type="t", body=b"\x00{}", now=now)
    )


def claimed(database: Database, *, now: float = 10.0, limit: int = 5) -> list[Message]:
    return database.write_sync(lambda tx: OUTBOX.claim(tx, endpoint="siem", now=now, limit=limit, lease_seconds=30.0))


def claim(database: Database, *, now: float = 10.0, limit: int = 5) -> list[str]:
    return [message.message_id for message in claimed(database, now=now, limit=limit)]


def test_workers_that_claim_at_once_share_the_messages(workers: list[Database], rounds: int) -> None:
    """Each message is one worker's until its lease ends."""
    for turn in range(rounds):
        for i in range(12):
            add(workers[0], f"{turn}-{i}")
        start = threading.Barrier(WORKERS)

        def run(database: Database, start: threading.Barrier = start) -> list[str]:
            start.wait(10)
            return claim(database)

        with ThreadPoolExecutor(WORKERS) as pool:
            got = [name for names in pool.map(run, workers) for name in names]
        got += claim(workers[0], limit=100)  # what a worker passed over because another one had its hand on it
        assert sorted(got) == sorted(f"{turn}-{i}" for i in range(12))


def test_a_message_goes_the_same_way_on_each_database(workers: list[Database]) -> None:
    """Claimed, tried again, hastened, delivered, dead, forgotten: the same facts at each step."""
    database = workers[0]
    for name in ("a", "b"):
        add(database, name)
    (a,) = claimed(database, limit=1)
    (b,) = claimed(database, now=39.0)
    assert (a.message_id, b.message_id) == ("a", "b")
    assert database.read(lambda tx: OUTBOX.next_due(tx, endpoint="siem", now=39.0)) == 40.0
    failed = {"status": None, "error": "x" * 999}
    database.write_sync(lambda tx: OUTBOX.retry(tx, a, next_attempt_at=500.0, **failed))
    database.write_sync(lambda tx: OUTBOX.dead(tx, b, now=41.0, status=410, error="gone"))
    assert database.write_sync(lambda tx: OUTBOX.hasten(tx, endpoint="siem", now=42.0, limit=9)) == 1
    assert claim(database, now=43.0) == ["a"]
    assert database.read(OUTBOX.depth) == 1
    database.write_sync(lambda tx: OUTBOX.delivered(tx, [a], now=44.0, status=204))
    fates = {one.message_id: one for one in database.read(lambda tx: OUTBOX.recent(tx, 10))}
    assert (fates["a"].attempts, fates["a"].delivered_at, fates["a"].last_status) == (2, 44.0, 204)
    assert (fates["b"].dead_at, fates["b"].last_error) == (41.0, "gone")
    assert database.write_sync(lambda tx: OUTBOX.forget(tx, before=50.0, limit=10)) == 1
    assert database.read(OUTBOX.depth) == 0
