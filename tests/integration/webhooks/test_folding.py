"""A message that waits may stand for more of the same; one that a receiver may have seen is left as it is."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import MetaData

from plumbing.database import Database
from webhooks.outbox import Message, Outbox, outbox_table

METADATA = MetaData()
OUTBOX = Outbox(outbox_table(METADATA))


@pytest.fixture
def two(database_url: str) -> Iterator[list[Database]]:
    """One outbox, opened by two processes' worth of storage."""
    with ExitStack() as stack:
        opened = [Database.open(database_url, metadata=METADATA) for _ in range(2)]
        for database in opened:
            stack.callback(database.close)
        METADATA.create_all(opened[0].engine)
        yield opened


def add(database: Database, name: str, fold_key: str | None = "denied ann", *, due_at: float | None = None) -> None:
    about = {"message_id": name, "endpoint": "siem", "event_type": "t", "body": b"1"}
    database.write_sync(lambda tx: OUTBOX.add(tx, now=1.0, fold_key=fold_key, due_at=due_at, **about))  # type: ignore[arg-type]


def fold(database: Database, fold_key: str = "denied ann", endpoint: str = "siem") -> int | None:
    return database.write_sync(
        lambda tx: OUTBOX.fold(tx, endpoint=endpoint, fold_key=fold_key, into=lambda body, _: b"%d" % (int(body) + 1))
    )


def claim(database: Database, now: float = 10.0) -> list[Message]:
    return database.write_sync(lambda tx: OUTBOX.claim(tx, endpoint="siem", now=now, limit=9, lease_seconds=5.0))


def test_the_message_that_waits_takes_in_what_comes(two: list[Database]) -> None:
    """Three more of the same: one message, which says so, and the count beside it."""
    add(two[0], "a")
    assert [fold(two[0]) for _ in range(3)] == [1, 2, 3]
    (message,) = claim(two[0])
    assert (message.message_id, message.body) == ("a", b"4")
    (shown,) = two[0].read(lambda tx: OUTBOX.recent(tx, 9))
    assert shown.folded == 3


def test_another_key_endpoint_or_message_without_a_key_takes_nothing_in(two: list[Database]) -> None:
    """Only more of the same is folded."""
    add(two[0], "a")
    add(two[0], "b", fold_key=None)
    assert fold(two[0], "denied bob") is None
    assert fold(two[0], endpoint="other") is None


def test_what_a_receiver_may_have_seen_is_not_altered(two: list[Database]) -> None:
    """In flight, failed and waiting for its retry, delivered, dead: the id stands for those bytes for ever."""
    add(two[0], "a")
    (message,) = claim(two[0])
    assert fold(two[0]) is None
    two[0].write_sync(lambda tx: OUTBOX.retry(tx, message, next_attempt_at=20.0, status=None, error="timeout"))
    assert fold(two[0]) is None
    two[0].write_sync(lambda tx: OUTBOX.delivered(tx, [message], now=21.0, status=200))
    assert fold(two[0]) is None


def test_what_was_claimed_and_given_back_unsent_takes_in_more(two: list[Database]) -> None:
    """Nobody has seen it."""
    add(two[0], "a")
    taken = claim(two[0])
    two[0].write_sync(lambda tx: OUTBOX.release(tx, taken))
    assert fold(two[0]) == 1


@pytest.mark.parametrize(("order_key", "fold_key", "folds"), [("ann", None, None), ("ann", "x", 1), ("bob", None, 1)])
def test_nothing_is_folded_past_a_later_message_of_its_order(
    two: list[Database], order_key: str, fold_key: str | None, folds: int | None
) -> None:
    """It would overtake that one; what takes in others too, or is of another order, is in nobody's way."""
    about: dict[str, Any] = {"endpoint": "siem", "event_type": "t", "body": b"1"}
    for name, order, fold_by in (("a", "ann", "denied ann"), ("b", order_key, fold_key)):
        two[0].write_sync(
            lambda tx, n=name, o=order, f=fold_by: OUTBOX.add(
                tx, message_id=n, now=1.0, order_key=o, fold_key=f, **about
            )
        )
    assert fold(two[0]) == folds


def test_several_are_folded_at_once(two: list[Database]) -> None:
    """The count beside the message grows by as many."""
    add(two[0], "a")
    about: dict[str, Any] = {"endpoint": "siem", "fold_key": "denied ann", "more": 5}
    for _ in range(2):
        two[0].write_sync(lambda tx: OUTBOX.fold(tx, into=lambda _body, count: b"%d" % count, **about))
    assert [message.body for message in claim(two[0])] == [b"10"]


def test_a_message_may_be_held_back_to_take_in_more(two: list[Database]) -> None:
    """It is not sent before its time, and folded until then; both sides of the moment."""
    add(two[0], "a", due_at=30.0)
    assert claim(two[0], now=29.9) == []
    assert fold(two[0]) == 1
    assert [message.body for message in claim(two[0], now=30.0)] == [b"2"]


@pytest.mark.parametrize(("due_at", "is_hastened"), [(12.0, False), (12.1, True)])
def test_what_takes_in_others_is_not_hastened_by_what_went_before(
    two: list[Database], due_at: float, is_hastened: bool
) -> None:
    """It keeps its moment, or a storm would be told as fast as the receiver takes it; but what was put aside goes."""
    about: dict[str, Any] = {"endpoint": "siem", "event_type": "t", "body": b"1", "order_key": "ann"}
    two[0].write_sync(lambda tx: OUTBOX.add(tx, message_id="a", now=1.0, **about))
    (first,) = claim(two[0], now=10.0)
    two[0].write_sync(lambda tx: OUTBOX.add(tx, message_id="b", now=10.0, fold_key="x", due_at=due_at, **about))
    two[0].write_sync(lambda tx: OUTBOX.delivered(tx, [first], now=10.0, status=200))
    assert (claim(two[0], now=10.0) != []) is is_hastened
    assert is_hastened or claim(two[0], now=due_at)


def test_nothing_is_lost_between_folding_and_claiming(two: list[Database], rounds: int) -> None:
    """One process folds while another claims: each is counted once, in the message that was sent or in none."""
    for turn in range(rounds):
        add(two[0], f"m{turn}")
        start = threading.Barrier(2)

        def folding(start: threading.Barrier = start) -> int:
            start.wait(10)
            return sum(fold(two[0]) is not None for _ in range(3))

        def claiming(start: threading.Barrier = start) -> list[Message]:
            start.wait(10)
            return claim(two[1])

        with ThreadPoolExecutor(2) as pool:
            folded, early = pool.submit(folding), pool.submit(claiming)
            count = 1 + folded.result()
            taken = early.result() or claim(two[1])  # it was passed over if the other one had its hand on it
            assert [int(message.body) for message in taken] == [count]
        two[0].write_sync(lambda tx, taken=taken: OUTBOX.delivered(tx, taken, now=11.0, status=200))
