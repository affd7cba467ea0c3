"""Messages of one key go one after the other, on each kind of database, whatever becomes of them."""

import random
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import MetaData

from plumbing.database import Database
from plumbing.statements import Statement, Transaction, ordered
from webhooks.outbox import PARKED_SECONDS, Message, Outbox, outbox_table

METADATA = MetaData()
OUTBOX = Outbox(outbox_table(METADATA))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty outbox."""
    opened = Database.open(database_url, metadata=METADATA)
    METADATA.create_all(opened.engine)
    yield opened
    opened.close()


def add(database: Database, name: str, key: str | None, *, now: float = 1.0, endpoint: str = "siem") -> None:
    about = {"message_id": name, "endpoint": endpoint, "event_type": "t", "body": b"{}"}
    database.write_sync(lambda tx: OUTBOX.add(tx, now=now, order_key=key, **about))  # type: ignore[arg-type]


def claim(database: Database, *, now: float = 10.0, limit: int = 9, endpoint: str = "siem") -> list[Message]:
    return database.write_sync(lambda tx: OUTBOX.claim(tx, endpoint=endpoint, now=now, limit=limit, lease_seconds=30.0))


def names(messages: list[Message]) -> list[str]:
    return [message.message_id for message in messages]


def deliver(database: Database, messages: list[Message], *, now: float) -> None:
    database.write_sync(lambda tx: OUTBOX.delivered(tx, messages, now=now, status=200))


def next_due(database: Database, now: float) -> float | None:
    return database.read(lambda tx: OUTBOX.next_due(tx, endpoint="siem", now=now))


def test_a_later_message_of_a_key_waits_for_the_earlier(database: Database) -> None:
    """While it waits and while it is in flight; other keys, other endpoints and messages without a key go on."""
    for name, key in (("b", "ann"), ("a", "ann"), ("c", "bob"), ("d", None), ("e", None), ("f", ""), ("g", "")):
        add(database, name, key)
    add(database, "a", "ann", endpoint="other")
    first = claim(database)
    assert sorted(names(first)) == ["b", "c", "d", "e", "f", "g"]
    assert claim(database, now=11.0) == []
    assert names(claim(database, now=11.0, endpoint="other")) == ["a"]
    deliver(database, first, now=12.0)
    assert next_due(database, 12.0) == 12.0
    assert names(claim(database, now=12.0)) == ["a"]


def test_nothing_is_due_while_all_that_waits_follows_something_in_flight(database: Database) -> None:
    """A worker that looks does not turn in circles: it is told of the end of the lease."""
    add(database, "a", "ann")
    add(database, "b", "ann")
    assert names(claim(database)) == ["a"]
    assert next_due(database, 10.0) == 40.0


def test_order_is_that_of_adding_within_one_moment(database: Database) -> None:
    """Names say nothing and the clock stood still, or even went back."""
    added = [f"{place:02}" for place in range(30)]
    random.Random(1).shuffle(added)
    for place, name in enumerate(added):
        add(database, name, "ann", now=1.0 if place < 20 else 0.5)
    told: list[str] = []
    for turn in range(30):
        messages = claim(database, now=100.0 + turn)
        told += names(messages)
        deliver(database, messages, now=100.0 + turn)
    assert told == added


def test_a_failed_message_holds_up_its_key_alone(database: Database) -> None:
    """Until its retry, however long that is off; a dead one frees the next."""
    for name, key in (("a", "ann"), ("b", "ann"), ("c", "bob")):
        add(database, name, key)
    failed = claim(database, limit=2)
    a, c = failed
    database.write_sync(lambda tx: OUTBOX.retry(tx, a, next_attempt_at=500.0, status=500, error="status_500"))
    deliver(database, [c], now=11.0)
    assert claim(database, now=12.0) == []
    assert claim(database, now=499.0) == []
    assert names(claim(database, now=500.0)) == ["a"]
    database.write_sync(lambda tx: OUTBOX.dead(tx, a, now=501.0, status=410, error="status_410"))
    assert names(claim(database, now=501.0)) == ["b"]


def test_what_was_released_is_first_again_and_was_never_tried(database: Database) -> None:
    """A message that was claimed and not sent goes back to its place."""
    add(database, "a", "ann")
    add(database, "b", "ann")
    taken = claim(database)
    database.write_sync(lambda tx: OUTBOX.release(tx, taken))
    (again,) = claim(database)
    assert (again.message_id, again.attempts) == ("a", 1)


def test_what_was_put_aside_by_mistake_comes_by_itself(database: Database) -> None:
    """Should nobody free it (two processes in the same moment), a minute is the most that it is late."""
    add(database, "a", "ann")
    add(database, "b", "ann")
    taken = claim(database)
    database.write_sync(lambda tx: OUTBOX.delivered(tx, [_without_key(taken[0])], now=11.0, status=200))
    assert claim(database, now=11.0) == []
    assert names(claim(database, now=10.0 + PARKED_SECONDS)) == ["b"]


def _without_key(message: Message) -> Message:
    return Message(**{**{name: getattr(message, name) for name in message.__slots__}, "order_key": None})


def test_a_long_queue_of_one_key_holds_up_nobody_else(database: Database) -> None:
    """Two thousand messages of one person are in front; the others' are found within a few claims, and once."""

    def fill(tx: object) -> None:
        for number in range(2_000):
            OUTBOX.add(tx, message_id=f"a{number}", endpoint="siem", event_type="t", body=b"", now=1.0, order_key="ann")  # type: ignore[arg-type]

    database.write_sync(fill)
    for number in range(10):
        add(database, f"b{number}", f"bob{number}", now=2.0)
    found: list[str] = []
    claims = 0
    while next_due(database, 10.0) == 10.0:
        found += names(claim(database, limit=8))
        claims += 1
    assert sorted(found) == ["a0", *(f"b{number}" for number in range(10))]
    assert claims < 40


def test_whatever_happens_no_two_of_a_key_are_in_flight(database: Database, rounds: int) -> None:
    """A random walk of adding, claiming, delivering, failing and giving up, against the order of adding."""
    walk = random.Random(7)
    waiting: dict[str, list[str]] = {key: [] for key in ("ann", "bob", "cyd")}
    in_flight: dict[str, Message] = {}
    now = 10.0
    for step in range(rounds * 15):
        now += walk.random() * 5.0
        choice = walk.random()
        if choice < 0.4:
            key = walk.choice(sorted(waiting))
            add(database, f"m{step}", key, now=now)
            waiting[key].append(f"m{step}")
        elif choice < 0.7:
            for message in claim(database, now=now, limit=walk.choice((1, 2, 8))):
                assert message.order_key is not None
                assert waiting[message.order_key][0] == message.message_id
                in_flight[message.order_key] = message
        elif in_flight:
            key, message = in_flight.popitem()
            fate = walk.choice(("delivered", "dead", "retry"))
            if fate == "delivered":
                deliver(database, [message], now=now)
            elif fate == "dead":
                database.write_sync(lambda tx, m=message: OUTBOX.dead(tx, m, now=now, status=None, error="x"))  # noqa: B023
            else:
                database.write_sync(
                    lambda tx, m=message: OUTBOX.retry(tx, m, next_attempt_at=now + 20.0, status=None, error="x")  # noqa: B023
                )
            if fate != "retry":
                waiting[key].remove(message.message_id)
    now += 10_000.0
    for turn in range(10_000):
        messages = claim(database, now=now + 31.0 * turn)
        for message in messages:
            assert waiting[str(message.order_key)].pop(0) == message.message_id
        deliver(database, messages, now=now + 31.0 * turn)
        if not any(waiting.values()):
            return
    raise AssertionError("something waits for ever")


BUSY = {
    "to": "siem", "id": "a7", "key": "ann7", "at": 10.0, "bound": 10.0, "until": 40.0, "again_at": 40.0, "most": 8,
    "skip": 96, "status": 200, "problem": None, "text": b"", "count": 1, "held": 12.0,
}  # fmt: skip


def looked_at(database: Database, statement: Statement) -> list[str]:
    """The plan that the database makes for it."""
    kind = database.engine.dialect.name
    compiled = statement.compiled(kind)
    given = tuple(ordered(compiled, {name: BUSY[name] for name in compiled.expected}))
    explain = "EXPLAIN QUERY PLAN " if kind == "sqlite" else "EXPLAIN "
    with database.engine.connect() as connection:
        return [str(row[-1]).strip() for row in connection.exec_driver_sql(explain + compiled.sql, given).fetchall()]


def test_no_step_of_a_delivery_walks_through_all_that_waits(database: Database) -> None:
    """On a table that the planner knows nothing of, as an outbox is that has just filled: each look is by an index made
    for it, and what is found by its key is not searched for among all of a lane."""

    def fill(tx: Transaction) -> None:
        for number in range(3_000):
            about = {"message_id": f"a{number}", "endpoint": "siem", "event_type": "t", "body": b"{}"}
            OUTBOX.add(tx, now=1.0, order_key=f"ann{number % 50}", **about)  # type: ignore[arg-type]

    database.write_sync(fill)
    for statement in (OUTBOX._bound, OUTBOX._claim, OUTBOX._park, OUTBOX._is_due, OUTBOX._moments, OUTBOX._hasten):
        plan = " / ".join(looked_at(database, statement))
        assert "outbox_waiting" in plan, plan
        assert not re.search(r"Seq Scan|SCAN (outbox|earlier|chosen|first)", plan), plan
    for statement in (OUTBOX._claim, OUTBOX._park, OUTBOX._free, OUTBOX._newest):
        assert "outbox_order" in " / ".join(looked_at(database, statement))
    for statement in (OUTBOX._delivered, OUTBOX._retry, OUTBOX._dead, OUTBOX._release, OUTBOX._free, OUTBOX._fold):
        plan = " / ".join(looked_at(database, statement))
        assert re.search("outbox_pkey|sqlite_autoindex_outbox_1", plan), plan
        assert "outbox_waiting" not in plan, plan
    assert "outbox_fold" in " / ".join(looked_at(database, OUTBOX._foldable))
