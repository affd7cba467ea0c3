"""Many callers, one writer: each gets its own result, and what was promised is on the disk."""

import asyncio
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, func, insert, select, update

from plumbing import writer
from plumbing.database import Database, Transaction
from plumbing.refusals import Refused
from plumbing.statements import Statement

pytestmark = pytest.mark.anyio

METADATA = MetaData()
COINS = Table("coins", METADATA, Column("id", Text, primary_key=True), Column("n", Integer, nullable=False))
ADD = Statement(insert(COINS))
COUNT = Statement(select(func.count()).select_from(COINS))
GET = Statement(select(COINS.c.n).where(COINS.c.id == bindparam("coin")))
SPEND = Statement(update(COINS).where(COINS.c.id == bindparam("coin"), COINS.c.n > 0).values(n=COINS.c.n - 1))


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    """A SQLite file with a table of coins."""
    opened = Database.open(f"sqlite:///{tmp_path}/coins.db", metadata=METADATA)
    METADATA.create_all(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A table of coins on each kind of database."""
    opened = Database.open(database_url, metadata=METADATA)
    METADATA.create_all(opened.engine)
    yield opened
    opened.close()


def added(coin: str, n: int = 1) -> Callable[[Transaction], int]:
    return lambda tx: tx.run(ADD, id=coin, n=n)


def count(tx: Transaction) -> int:
    row = tx.one(COUNT)
    assert row is not None
    return int(row[0])


def wait_for_coins(database: Database, n: int) -> None:
    deadline = time.monotonic() + 5
    while database.read(count) < n:
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Cursed(Exception):
    pass


def cursed(coin: str) -> Callable[[Transaction], int]:
    def job(tx: Transaction) -> int:
        tx.run(ADD, id=coin, n=1)
        raise Cursed(coin)

    return job


async def test_a_write_is_seen_by_every_reader_once_it_returns(database: Database) -> None:
    """On this thread, in another one, and through a second opening of the file."""
    assert await database.write(added("a")) == 1
    assert database.read(count) == 1
    assert await database.read_in_thread(count) == 1
    assert await asyncio.to_thread(database.read, count) == 1


async def test_a_job_that_raises_fails_its_own_caller_only(database: Database) -> None:
    """Among two hundred in one batch, the five bad ones lose their changes and the others keep theirs."""
    jobs = [cursed(f"c{i}") if i % 40 == 7 else added(f"c{i}") for i in range(200)]
    results = await asyncio.gather(*(database.write(job) for job in jobs), return_exceptions=True)
    failed = [i for i, result in enumerate(results) if isinstance(result, Cursed)]
    assert failed == [7, 47, 87, 127, 167]
    assert all(result == 1 for i, result in enumerate(results) if i not in failed)
    assert database.read(count) == 195


async def test_a_broken_constraint_fails_its_own_caller_only(database: Database) -> None:
    """Of a hundred that add the same coin exactly one wins."""
    results = await asyncio.gather(*(database.write(added("same")) for _ in range(100)), return_exceptions=True)
    assert results.count(1) == 1
    assert sum(isinstance(result, sqlite3.IntegrityError | psycopg.IntegrityError) for result in results) == 99


async def test_once_means_once(database: Database) -> None:
    """A hundred that spend the same coin in one batch: one does."""
    await database.write(added("coin"))
    results = await asyncio.gather(*(database.write(lambda tx: tx.run(SPEND, coin="coin")) for _ in range(100)))
    assert sorted(results) == [0] * 99 + [1]


@pytest.mark.parametrize("error", [StopIteration(), KeyboardInterrupt(), SystemExit(), asyncio.CancelledError()])
async def test_whatever_a_job_raises_the_writer_goes_on(database: Database, error: BaseException) -> None:
    """No exception of one caller may end the thread that serves all."""

    def job(_tx: Transaction) -> None:
        raise error

    with pytest.raises(RuntimeError, match=type(error).__name__):
        await database.write(job)
    assert await database.write(added("a")) == 1


async def test_a_caller_that_stops_waiting_does_not_stop_the_job(database: Database) -> None:
    """The write stands, and the others of its batch are answered."""
    leaving = asyncio.ensure_future(database.write(added("left")))
    staying = asyncio.ensure_future(database.write(added("stayed")))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 1
    assert await database.write(lambda tx: tx.one(GET, coin="left")) == (1,)


def test_threads_and_event_loops_share_the_writer(database: Database) -> None:
    """Four loops and four plain threads write at once; nothing is lost and everyone is answered."""

    async def forty(name: str) -> None:
        assert await asyncio.gather(*(database.write(added(f"{name}-{i}")) for i in range(40))) == [1] * 40

    def plain(name: str) -> None:
        assert [database.write_sync(added(f"{name}-{i}")) for i in range(40)] == [1] * 40

    failures: list[object] = []
    work: list[Callable[[], object]] = [lambda n=n: asyncio.run(forty(f"loop{n}")) for n in range(4)]  # type: ignore[misc]
    work += [lambda n=n: plain(f"thread{n}") for n in range(4)]  # type: ignore[misc]

    def guarded(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert database.read(count) == 320


def test_write_sync_raises_what_the_job_raised(database: Database) -> None:
    """A thread's caller sees its own error."""
    with pytest.raises(Cursed):
        database.write_sync(cursed("a"))
    assert database.read(count) == 0


async def test_a_loop_that_ended_harms_nobody(database: Database) -> None:
    """The writer cannot tell a caller that is gone, and goes on."""
    release = threading.Event()

    def slow(tx: Transaction) -> int:
        release.wait(5)
        return tx.run(ADD, id="slow", n=1)

    def abandon() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(database.write(slow))
        loop.run_until_complete(asyncio.sleep(0.05))
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.close()

    await asyncio.to_thread(abandon)
    release.set()
    assert await database.write(added("after")) == 1
    assert database.read(count) == 2


async def test_posted_records_arrive_soon_and_with_the_next_write(database: Database) -> None:
    """Nobody waits for them, yet they are written within moments, and in any case before the end."""
    for i in range(700):
        database.post(added(f"p{i}"))
    await asyncio.to_thread(wait_for_coins, database, 700)
    assert database.dropped == 0


async def test_a_posted_record_that_fails_takes_nothing_along(database: Database) -> None:
    """The write beside it stands."""
    database.post(cursed("bad"))
    database.post(added("good"))
    assert await database.write(added("mine")) == 1
    await asyncio.to_thread(wait_for_coins, database, 2)
    assert database.read(count) == 2


async def test_a_posted_record_that_was_not_taken_is_counted_unless_it_is_put_back(database: Database) -> None:
    """Nobody else would know; whoever puts it back counts for itself."""
    put_back = threading.Event()
    database.post(cursed("kept by its owner"), put_back.set)
    database.post(cursed("lost"))
    await database.write(added("mine"))
    await asyncio.to_thread(wait_for_coins, database, 1)
    assert await asyncio.to_thread(put_back.wait, 5)
    assert database.dropped == 1
    database.close()
    put_back.clear()
    database.post(added("late"), put_back.set)
    assert (put_back.is_set(), database.dropped) == (True, 1)


def test_closing_finishes_what_waits(tmp_path: Path) -> None:
    """Posted records are written before the file is let go."""
    url = f"sqlite:///{tmp_path}/coins.db"
    first = Database.open(url, metadata=METADATA)
    METADATA.create_all(first.engine)
    for i in range(2_000):
        first.post(added(f"p{i}"))
    first.close()
    second = Database.open(url, metadata=METADATA)
    assert second.read(count) == 2_000
    second.close()


async def test_after_closing_a_write_is_refused(tmp_path: Path) -> None:
    """A late caller is told, not left waiting."""
    opened = Database.open(f"sqlite:///{tmp_path}/coins.db", metadata=METADATA)
    opened.close()
    opened.close()
    with pytest.raises(Refused):
        await opened.write(added("a"))
    opened.post(added("b"))
    assert opened.dropped == 1


async def test_a_full_queue_refuses_writes_and_drops_posts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit itself is taken; one more is told to come back."""
    monkeypatch.setattr(writer, "MAX_WAITING", 3)
    release, has_begun = threading.Event(), threading.Event()

    def blocking(_tx: Transaction) -> None:
        has_begun.set()
        release.wait(5)

    first = asyncio.ensure_future(database.write(blocking))
    await asyncio.to_thread(has_begun.wait, 5)
    waiting = [asyncio.ensure_future(database.write(added(f"w{i}"))) for i in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Refused) as refused:
        await database.write(added("too much"))
    for i in range(5):
        database.post(added(f"p{i}"))
    release.set()
    await asyncio.gather(first, *waiting)
    assert (refused.value.status, refused.value.code, refused.value.retry_after_seconds) == (503, "busy", 1)
    assert database.dropped == 2


async def test_a_database_that_another_process_holds_is_a_503(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails closed after the busy timeout, and works again once the other lets go."""
    monkeypatch.setattr("plumbing.connections.BUSY_TIMEOUT_MS", 50)
    opened = Database.open(f"sqlite:///{tmp_path}/coins.db", metadata=METADATA)
    METADATA.create_all(opened.engine)
    other = sqlite3.connect(tmp_path / "coins.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    results = await asyncio.gather(*(opened.write(added(f"c{i}")) for i in range(3)), return_exceptions=True)
    assert [(r.status, r.code) for r in results if isinstance(r, Refused)] == [(503, "storage_unavailable")] * 3
    assert opened.read(count) == 0  # readers are not held up
    other.execute("ROLLBACK")
    other.close()
    assert await opened.write(added("c")) == 1
    opened.close()


async def test_a_full_disk_is_a_503_and_leaves_nothing_half_done(file: Database) -> None:
    """The page limit stands in for the disk's end."""
    connection = file._store._connection  # type: ignore[attr-defined]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(Refused) as refused:
        await file.write(lambda tx: tx.many(ADD, [{"id": f"{i}" * 200, "n": 1} for i in range(1_000)]))
    assert (refused.value.status, refused.value.code) == (503, "storage_unavailable")
    assert file.read(count) == 0
    assert await file.write(added("small")) == 1


def test_a_read_sees_one_moment(database: Database) -> None:
    """What is committed between two look-ups of one read does not show in the second, however often it runs."""
    database.write_sync(added("a"))

    def twice(tx: Transaction) -> tuple[int, int]:
        before = count(tx)
        database.write_sync(added(f"b{before}"))
        return before, count(tx)

    for _ in range(2):
        before, after = database.read(twice)
        assert before == after
        assert database.read(count) == before + 1


def test_a_read_cannot_write(database: Database) -> None:
    """The reading connection refuses it, and reads on."""
    with pytest.raises((sqlite3.OperationalError, Refused)):
        database.read(added("a"))
    assert database.read(count) == 0


def test_the_file_belongs_to_its_owner_alone(file: Database, tmp_path: Path) -> None:
    """The log of changes and the shared memory beside it, too."""
    file.write_sync(added("a"))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"coins.db": 0o600, "coins.db-wal": 0o600, "coins.db-shm": 0o600}


def test_every_commit_is_synced(file: Database) -> None:
    """WAL with FULL is what makes a returned write durable."""
    connection = file._store._connection  # type: ignore[attr-defined]
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://h/d"])
def test_only_a_file_is_opened(url: str) -> None:
    """Threads each have their own connection, so memory cannot be shared; other engines are not in this version."""
    with pytest.raises(ValueError, match=r"sqlite:///path"):
        Database.open(url, metadata=METADATA)


async def test_a_write_that_meets_the_closing_is_refused_and_not_forgotten(database: Database) -> None:
    """A job asked for in the very turn in which the database closes gets its refusal; nobody waits for ever."""
    late = asyncio.ensure_future(database.write(added("late")))
    await asyncio.sleep(0)  # the job is gathered, and would be sent over in the next turn
    database.close()
    with pytest.raises(Refused) as refused:
        await asyncio.wait_for(late, 5)
    assert refused.value.code == "storage_unavailable"
