"""How long the audit trail is kept, on each kind of database: what is old goes, what is still needed stays."""

import asyncio
from pathlib import Path

import pytest

from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.audit_retention import PAGE_LINES, AuditRetention
from auth_gateway.adapters.storage.event_log import StoredEventLog
from auth_gateway.adapters.storage.replays import StoredReplays
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.replay import Replay
from plumbing.clock import FixedClock
from plumbing.database import Database, Transaction
from plumbing.partitions import after, begins, month_of
from tests.migrated import migrated_storage

DAY = 86_400.0


@pytest.fixture
def now(database: Database) -> float:
    """The moment up to which the test writes: months are made by the server's own clock."""
    with database.engine.connect() as connection:
        is_file = connection.dialect.name == "sqlite"
        sql = "SELECT unixepoch()" if is_file else "SELECT extract(epoch FROM now())::float8"
        return float(connection.exec_driver_sql(sql).scalar() or 0.0)


def write(database: Database, *moments: float, kind: Kind = "token.refreshed") -> None:
    trail = StoredAuditTrail()
    for ts in moments:
        line = AuditEvent(event_id=f"evt_{ts}", ts=ts, kind=kind)
        database.write_sync(lambda tx, line=line: trail.record(tx, line))  # type: ignore[misc]


def kept(database: Database) -> list[float]:
    lines = database.read(lambda tx: StoredAuditTrail().recent(tx, 10_000))
    return sorted(line.ts for line in lines)


def shorten(database: Database, now: float, days: int | None) -> int:
    return asyncio.run(AuditRetention(database, clock=FixedClock(now), days=days)())


def months(now: float) -> tuple[float, float, float]:
    """The beginnings of the next two months, and a moment of the one after them."""
    first = begins(after(month_of(now)))
    second = begins(after(month_of(first)))
    return first, second, begins(after(month_of(second))) + DAY


def test_without_a_span_nothing_goes(database: Database, now: float) -> None:
    """As before there was one."""
    write(database, now - 4000 * DAY, now)
    assert shorten(database, now, None) == 0
    assert len(kept(database)) == 2


def test_what_is_older_goes(database: Database, now: float) -> None:
    """A file loses lines to the second, a server whole months of which all is older."""
    first, second, today = months(now)
    write(database, first + 1, second - 1, second + 1, today)
    days = int((today - second) // DAY)
    shorten(database, second + days * DAY - 1, days)
    assert kept(database) == ([second - 1] if is_file(database) else [first + 1, second - 1]) + [second + 1, today]
    assert shorten(database, second + days * DAY, days) == 1
    assert kept(database) == [second + 1, today]
    assert shorten(database, second + days * DAY, days) == 0


def test_a_line_that_waits_to_be_told_stays(database: Database, now: float) -> None:
    """Nobody loses an event because the one who tells was away for longer than lines are kept."""
    first, _, _ = months(now)
    write(database, first + 1, kind="login.denied")
    later = first + 100 * DAY
    shorten(database, later, 30)
    assert kept(database) == [first + 1]
    waiting = database.read(lambda tx: StoredEventLog().waiting(tx, 10))
    database.write_sync(lambda tx: StoredEventLog().told(tx, [each.seq for each in waiting]))
    shorten(database, later, 30)
    assert kept(database) == []


def test_what_a_replay_has_yet_to_come_by_stays(database: Database, now: float) -> None:
    """It goes in the turn after the replay has ended."""
    first, _, today = months(now)
    write(database, first + 1, first + 2)
    replay = Replay(
        replay_id="r1", destination_id="d1", since=first, until=today, types=(), at_ts=first + 1, at_seq=1, asked_at=now
    )
    database.write_sync(lambda tx: StoredReplays().add(tx, replay))
    later = first + 100 * DAY
    shorten(database, later, 30)
    assert kept(database)[-1:] == [first + 2]
    database.write_sync(lambda tx: StoredReplays().stop(tx, "d1", later))
    shorten(database, later, 30)
    assert kept(database) == []


def test_pages_are_gone_through_to_the_first_that_is_young(tmp_path: Path) -> None:
    """However much of a file is old, and whatever stays among it."""
    database, trail, now = migrated_storage(tmp_path / "gateway.db"), StoredAuditTrail(), 1_760_000_000.0
    write(database, now - 50 * DAY, kind="login.denied")

    def job(tx: Transaction) -> None:
        for n in range(2 * PAGE_LINES):
            trail.record(tx, AuditEvent(event_id=f"e{n}", ts=now - 50 * DAY + n, kind="token.refreshed"))

    database.write_sync(job)
    write(database, now)
    assert shorten(database, now, 30) == 2 * PAGE_LINES
    assert kept(database) == [now - 50 * DAY, now]
    database.close()


def is_file(database: Database) -> bool:
    return database.engine.dialect.name == "sqlite"
