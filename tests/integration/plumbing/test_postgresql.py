"""What only a server can do to us: cut us off, be slow, be gone, belong to several processes at once."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from plumbing import postgresql_connections as connections
from plumbing import postgresql_store
from plumbing.database import Database, Transaction
from plumbing.refusals import Refused
from plumbing.statements import Statement
from tests.postgresql import Server

pytestmark = pytest.mark.anyio

METADATA = MetaData()
COINS = Table("coins", METADATA, Column("id", Text, primary_key=True), Column("n", Integer, nullable=False))
THINGS = Table(
    "things",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("truth", Boolean, nullable=False),
    Column("maybe", Boolean),
    Column("number", Integer),
    Column("real", Float),
    Column("raw", LargeBinary),
)
ADD = Statement(insert(COINS))
PUT = Statement(upsert(COINS).on_conflict_do_nothing())
COUNT = Statement(select(func.count()).select_from(COINS))
GET = Statement(select(COINS.c.n).where(COINS.c.id == bindparam("coin")))
SPEND = Statement(update(COINS).where(COINS.c.id == bindparam("coin"), COINS.c.n > 0).values(n=COINS.c.n - 1))
GIVE = Statement(update(COINS).where(COINS.c.id == bindparam("coin")).values(n=COINS.c.n + 1))
KEEP = Statement(insert(THINGS))
KEPT = Statement(select(THINGS, THINGS.c.maybe.is_(None), THINGS.c.truth == bindparam("like")))

Opened = Callable[[], Database]


@pytest.fixture
def opened(postgresql_url: str) -> Iterator[Opened]:
    """How to open the same database again, as another process would."""
    with ExitStack() as stack:

        def another() -> Database:
            database = Database.open(postgresql_url, metadata=METADATA)
            stack.callback(database.close)
            return database

        METADATA.create_all(another().engine)
        yield another


@pytest.fixture
def database(opened: Opened) -> Database:
    """A database on a server, with a table of coins."""
    return opened()


def added(coin: str, n: int = 1) -> Callable[[Transaction], int]:
    return lambda tx: tx.run(ADD, id=coin, n=n)


def count(tx: Transaction) -> int:
    row = tx.one(COUNT)
    assert row is not None
    return int(row[0])


def code(refused: pytest.ExceptionInfo[Refused]) -> tuple[int, str]:
    return refused.value.status, refused.value.code


@pytest.mark.parametrize("truth", [True, False, 1, 0])
def test_values_come_back_as_sqlite_gives_them(database_url: str, truth: int) -> None:
    """Truth is 0 or 1 on both, whichever way it was put; bytes, numbers and NULL are what they were."""
    database = Database.open(database_url, metadata=METADATA)
    METADATA.create_all(database.engine)
    thing = {"id": "a%s", "truth": truth, "maybe": None, "number": 2**31 - 1, "real": 0.1 + 0.2, "raw": b"\x00\xff"}
    database.write_sync(lambda tx: tx.run(KEEP, **thing))  # type: ignore[arg-type]
    row = database.read(lambda tx: tx.one(KEPT, like=truth))
    database.close()
    assert row == ("a%s", int(truth), None, 2**31 - 1, 0.1 + 0.2, b"\x00\xff", 1, 1)
    assert [type(value) for value in row[1:2] + row[6:]] == [int, int, int]


def test_an_insert_that_may_meet_its_like_tells_whether_it_won(database_url: str) -> None:
    """The conflict clause of one dialect is text for both databases."""
    database = Database.open(database_url, metadata=METADATA)
    METADATA.create_all(database.engine)
    assert [database.write_sync(lambda tx: tx.run(PUT, id="a", n=1)) for _ in range(2)] == [1, 0]
    database.close()


def test_of_rows_that_go_together_each_tells_what_it_changed(database_url: str) -> None:
    """In the order in which they were given, on both databases; none of them is none."""
    database = Database.open(database_url, metadata=METADATA)
    METADATA.create_all(database.engine)
    database.write_sync(lambda tx: tx.many(ADD, [{"id": name, "n": 1} for name in "ab"]))
    spent = [{"coin": name} for name in "axba"]
    assert database.write_sync(lambda tx: tx.each(SPEND, spent)) == [1, 0, 1, 0]
    assert database.write_sync(lambda tx: tx.each(SPEND, [])) == []
    database.close()


def test_text_with_nul_is_the_senders_fault(database: Database) -> None:
    """PostgreSQL cannot keep it: 400, not 500, whether it is looked for or written."""
    for attempt in (
        lambda: database.read(lambda tx: tx.one(GET, coin="a\0b")),
        lambda: database.write_sync(added("a\0b")),
        lambda: database.write_sync(lambda tx: tx.many(ADD, [{"id": "a\0b", "n": 1}])),
        lambda: database.write_sync(lambda tx: tx.each(ADD, [{"id": "a\0b", "n": 1}])),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert code(refused) == (400, "invalid_request")
    assert database.write_sync(added("a")) == 1


async def test_a_job_that_goes_on_after_a_refused_statement_keeps_nothing(database: Database) -> None:
    """Swallowing the database's error does not turn an undone transaction into a success; the others keep theirs."""
    await database.write(added("a"))

    def careless(tx: Transaction) -> int:
        tx.run(ADD, id="lost", n=1)
        try:
            tx.run(ADD, id="a", n=1)
        except psycopg.Error:
            return 1
        return 2

    jobs = (careless, added("b"))
    results = await asyncio.gather(*(database.write(job) for job in jobs), return_exceptions=True)
    assert isinstance(results[0], postgresql_store.WentOn)
    assert results[1] == 1
    with pytest.raises(postgresql_store.WentOn):
        await database.write(careless)
    assert database.read(count) == 2


async def test_what_another_process_adds_first_is_seen_by_a_second_run(opened: Opened) -> None:
    """A job that looks and then adds is run again when somebody was faster, and finds the row."""
    one, other = opened(), opened()
    runs: list[int] = []

    def look_then_add(tx: Transaction) -> str:
        if tx.one(GET, coin="a") is not None:
            return "found"
        runs.append(1)
        if len(runs) == 1:
            other.write_sync(added("a"))
        tx.run(ADD, id="a", n=1)
        return "added"

    assert await one.write(look_then_add) == "found"
    assert len(runs) == 1


async def test_groups_that_block_each_other_both_succeed(opened: Opened) -> None:
    """A deadlock between two processes costs time and nothing else: every job is done exactly once."""
    one, other = opened(), opened()
    one.write_sync(lambda tx: tx.many(ADD, [{"id": name, "n": 0} for name in "ab"]))
    meet = threading.Barrier(2)
    met: list[str] = []

    def giving(first: str, second: str) -> Callable[[Transaction], int]:
        def job(tx: Transaction) -> int:
            tx.run(GIVE, coin=first)
            if met.count(first) == 0:
                met.append(first)
                meet.wait(10)
            return tx.run(GIVE, coin=second)

        return job

    done = await asyncio.gather(
        one.write(giving("a", "b")), one.write(added("c")), other.write(giving("b", "a")), other.write(added("d"))
    )
    assert done == [1, 1, 1, 1]
    assert one.read(lambda tx: (tx.one(GET, coin="a"), tx.one(GET, coin="b"), count(tx))) == ((2,), (2,), 4)


async def test_a_row_that_is_held_too_long_is_a_503_for_its_caller_alone(
    opened: Opened, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for another process's row is refused; who shares the commit with them is not."""
    monkeypatch.setattr(connections, "_LIMITS", "SELECT set_config('lock_timeout', '100ms', false)")
    database = opened()
    await database.write(added("held"))
    with psycopg.connect(postgresql_url) as holder:
        holder.execute("UPDATE coins SET n = 7")
        jobs = (lambda tx: tx.run(SPEND, coin="held"), added("free"))
        results = await asyncio.gather(*(database.write(job) for job in jobs), return_exceptions=True)
        holder.rollback()
    assert isinstance(results[0], Refused)
    assert (results[0].status, results[0].code, results[1]) == (503, "storage_unavailable", 1)
    assert await database.write(lambda tx: tx.run(SPEND, coin="held")) == 1


def test_a_look_up_that_met_a_lock_is_not_followed_by_others_at_once(
    opened: Opened, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first waits its time, the next are refused without waiting, and after a pause one asks again."""
    monkeypatch.setattr(postgresql_store, "HELD_PAUSE_SECONDS", 0.3)
    database = opened()
    with psycopg.connect(postgresql_url) as holder:
        holder.execute("LOCK TABLE coins IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Refused) as refused:
            database.read(count)
        began = time.monotonic()
        for _ in range(20):
            with pytest.raises(Refused) as at_once:
                database.read(count)
            assert code(at_once) == code(refused) == (503, "storage_unavailable")
        assert time.monotonic() - began < 20 * connections.READ_LOCK_MS / 1000 / 2
    time.sleep(0.3)
    assert database.read(count) == 0


async def test_of_many_that_meet_a_locked_table_three_wait(
    opened: Opened, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody else is refused with them, and all is well once the table is free."""
    monkeypatch.setattr(connections, "_LIMITS", "SELECT set_config('lock_timeout', '150ms', false)")
    database = opened()
    tried: list[str] = []

    def adding(coin: str) -> Callable[[Transaction], int]:
        def job(tx: Transaction) -> int:
            tried.append(coin)
            return tx.run(ADD, id=coin, n=1)

        return job

    with psycopg.connect(postgresql_url) as holder:
        holder.execute("LOCK TABLE coins IN ACCESS EXCLUSIVE MODE")
        results = await asyncio.gather(*(database.write(adding(f"c{n}")) for n in range(30)), return_exceptions=True)
    assert [(r.status, r.code) for r in results if isinstance(r, Refused)] == [(503, "storage_unavailable")] * 30
    assert set(tried) == {f"c{n}" for n in range(postgresql_store.HELD_IN_A_ROW)}
    assert await database.write(added("after")) == 1
    assert database.read(count) == 1


async def test_a_slow_statement_is_ended(database: Database, monkeypatch: pytest.MonkeyPatch, opened: Opened) -> None:
    """The server's own limit answers 503, for a read and for a write."""
    monkeypatch.setattr(connections, "_LIMITS", "SELECT set_config('statement_timeout', '100ms', false)")
    slow, other = Statement(text("SELECT pg_sleep(5)")), opened()
    for attempt in (lambda: other.read(lambda tx: tx.one(slow)), lambda: other.write_sync(lambda tx: tx.one(slow))):
        with pytest.raises(Refused) as refused:
            attempt()
        assert code(refused) == (503, "storage_unavailable")
    assert other.write_sync(added("a")) == 1
    assert other.read(count) == 1


async def test_connections_that_were_cut_while_idle_cost_nobody_anything(
    database: Database, postgresql_server: Server
) -> None:
    """The next write and the next read are on new connections."""
    await database.write(added("a"))
    assert database.read(count) == 1
    assert postgresql_server.cut_off() >= 2
    assert await database.write(added("b")) == 1
    assert database.read(count) == 2


async def test_a_connection_lost_within_a_transaction_is_a_503(database: Database, postgresql_server: Server) -> None:
    """Nothing of the group is kept, everybody in it is told, and the next group is done."""

    def cut(tx: Transaction) -> int:
        tx.run(ADD, id="a", n=1)
        postgresql_server.cut_off()
        return tx.run(ADD, id="b", n=1)

    results = await asyncio.gather(database.write(cut), database.write(added("c")), return_exceptions=True)
    assert [(r.status, r.code) for r in results if isinstance(r, Refused)] == [(503, "storage_unavailable")] * 2
    assert database.read(count) == 0
    assert await database.write(added("d")) == 1


async def test_a_server_that_is_down_is_a_503_until_it_is_back(database: Database, postgresql_server: Server) -> None:
    """Reads and writes are refused at once and never hang; no restart of ours is needed."""
    await database.write(added("a"))
    database.read(count)
    postgresql_server.stop()
    try:
        for _ in range(3):
            with pytest.raises(Refused) as refused:
                await database.write(added("b"))
            assert code(refused) == (503, "storage_unavailable")
            with pytest.raises(Refused) as refused:
                database.read(count)
            assert code(refused) == (503, "storage_unavailable")
    finally:
        postgresql_server.start()
    await asyncio.sleep(0.6)
    assert await database.write(added("b")) == 1
    assert database.read(count) == 2


async def test_a_server_that_hangs_is_given_up(
    database: Database, postgresql_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even a server that is stopped in the middle holds a caller for longer than the limit."""
    database.read(count)
    monkeypatch.setattr(connections, "ANSWER_SECONDS", 0.3)
    postgresql_server.freeze()
    try:
        with pytest.raises(Refused) as refused:
            database.read(count)
        assert code(refused) == (503, "storage_unavailable")
        with pytest.raises(Refused):
            await asyncio.wait_for(database.write(added("a")), 5)
    finally:
        postgresql_server.thaw()


def test_a_place_where_nobody_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that takes connections and says nothing costs the connect timeout once; who asks next is told at once."""
    monkeypatch.setitem(connections._DEFAULTS, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = Database.open(f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/x", metadata=METADATA)
        seconds = []
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(Refused):
                database.read(count)
            seconds.append(time.monotonic() - began)
        database.close()
    assert seconds[0] < 4
    assert seconds[1] < 0.5


def test_commits_are_durable_whatever_the_server_is_set_to(postgresql_url: str, postgresql_server: Server) -> None:
    """`off` and `local` are raised to `on`; what asks for more stays."""
    name = postgresql_url.removeprefix("postgresql://postgres@/").partition("?")[0]
    show = Statement(text("SHOW synchronous_commit"))
    for server, expected in (("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")):
        postgresql_server.execute(f"ALTER DATABASE {name} SET synchronous_commit = {server}")
        database = Database.open(postgresql_url, metadata=METADATA)
        assert database.write_sync(lambda tx: tx.one(show)) == (expected,)
        database.close()


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://u:p@db.example/x", "verify-full"),
        ("postgresql://u:p@10.1.2.3/x?sslmode=disable", "disable"),
        ("postgresql://u:p@localhost,db.example/x", "verify-full"),
        ("postgres://u:p@[::1]/x", None),
        ("postgresql:///x?host=/run/postgresql", None),
        ("postgresql://localhost/x", None),
    ],
)
def test_a_server_elsewhere_must_prove_who_it_is(url: str, mode: str | None) -> None:
    """Passwords and people's logins go to nobody unverified, unless the URL says otherwise."""
    assert connections.parameters(url).get("sslmode") == mode


def test_a_url_that_cannot_be_read_is_not_repeated() -> None:
    """It holds a password."""
    with pytest.raises(ValueError, match="cannot be read") as error:
        Database.open("postgresql://u:se%cret@h/x", metadata=METADATA)
    assert "cret" not in str(error.value)
    assert error.value.__cause__ is None


WITHOUT_DRIVER = """
import sys
sys.modules["psycopg"] = None
from sqlalchemy import MetaData
from plumbing.database import Database, DriverMissing, upgrade
url = "postgresql://h/x"
for attempt in (lambda: Database.open(url, metadata=MetaData()), lambda: upgrade(url, ".")):
    try:
        attempt()
    except DriverMissing as missing:
        print(missing)
Database.open(f"sqlite:///{sys.argv[1]}/x.db", metadata=MetaData()).close()
print("psycopg" in str(sorted(sys.modules)) and sys.modules["psycopg"])
"""


def test_without_the_driver_sqlite_works_and_postgresql_says_what_to_install(tmp_path: Path, root: Path) -> None:
    """One line, and nothing of the driver is imported for SQLite."""
    command = [sys.executable, "-c", WITHOUT_DRIVER, str(tmp_path)]
    said = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == ["PostgreSQL needs psycopg: pip install 'riskgate[postgresql]'"] * 2 + ["None"]


def test_threads_that_end_give_their_connections_back(database: Database, postgresql_server: Server) -> None:
    """Twenty threads that each read once leave no connection behind."""
    for _ in range(20):
        reader = threading.Thread(target=database.read, args=(count,))
        reader.start()
        reader.join()
    deadline = time.monotonic() + 5
    sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'riskgate'"
    while postgresql_server.execute(sql)[0][0] > 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
