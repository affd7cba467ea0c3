"""What must be announced, in the same database and the same transaction as the decision itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table, and_, bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from plumbing.statements import Statement, Transaction
from webhooks.outbox_table import (
    bounding,
    claiming,
    each_endpoint,
    foldable,
    freeing,
    hastening,
    is_any_due,
    next_moments,
    outbox_table,
    parking,
    this_one,
    waiting_in,
)

__all__ = ["Delivery", "Message", "Outbox", "outbox_table"]

LONGEST_ERROR: Final = 200
PARKED_SECONDS: Final = 60.0
"""For how long a message is left aside that follows another one; it is taken up at once when that one is settled. This
is how late it is at worst, when two processes settle the one and put the other aside in the same moment."""
HOLD_SECONDS: Final = 2.0
"""How long a message that takes in others is held back for them, and so whatever has to come after it."""
MOMENT: Final = 1e-6
"""What tells messages of one key apart that were added at the same time; seconds since 1970 have a finer grain."""

FoldInto = Callable[[bytes, int], bytes | None]
"""The body that waits, and how many more it now stands for → the body that says so; None: it takes none in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One claimed message: to whom, and the exact bytes. `attempts` counts this one."""

    message_id: str
    endpoint: str
    event_type: str
    body: bytes
    created_at: float
    attempts: int
    order_key: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """How a message fares, for people: everything but its body."""

    message_id: str
    endpoint: str
    event_type: str
    created_at: float
    next_attempt_at: float
    attempts: int
    delivered_at: float | None
    dead_at: float | None
    last_status: int | None
    last_error: str | None
    order_key: str | None
    folded: int


class Outbox:
    """The rows of one outbox table. A row once added leaves only as delivered, as dead with a reason, or with
    its endpoint.

    Messages to one endpoint with the same `order_key` go one after the other, the oldest first: none is claimed while
    an earlier one waits or is in flight, and a dead one frees the next.
    """

    def __init__(self, table: Table) -> None:
        c = table.c
        waits = waiting_in(table)
        ids = tuple_(c.message_id, c.endpoint)
        this = this_one(table)
        lane = and_(c.endpoint == bindparam("to"), waits)
        note: dict[str, Any] = {"last_status": bindparam("status"), "last_error": bindparam("problem")}
        claimed = [c[name] for name in Message.__dataclass_fields__]
        self._add = Statement(insert(table))
        self._add_once = Statement(insert(table).on_conflict_do_nothing())
        of_key = and_(lane, c.order_key == bindparam("key"))
        self._newest = Statement(
            select(c.created_at, c.next_attempt_at).where(of_key).order_by(c.created_at.desc()).limit(1)
        )
        self._foldable = Statement(foldable(table))
        self._fold = Statement(update(table).where(this).values(body=bindparam("text"), folded=bindparam("count")))
        self._bound = Statement(bounding(table))
        self._claim = Statement(claiming(table).returning(*claimed))
        self._park = Statement(parking(table))
        self._free = Statement(freeing(table))
        self._is_due = Statement(is_any_due(table))
        self._moments = Statement(next_moments(table))
        self._waiting = Statement(each_endpoint(table))
        self._give_up = Statement(update(table).where(lane).values(dead_at=bindparam("at"), **note))
        self._remove = Statement(delete(table).where(c.endpoint == bindparam("to")))
        self._delivered = Statement(update(table).where(this).values(delivered_at=bindparam("at"), **note))
        self._retry = Statement(
            update(table).where(this).values(next_attempt_at=bindparam("again_at"), claimed_until=0.0, **note)
        )
        self._release = Statement(update(table).where(this).values(claimed_until=0.0, attempts=c.attempts - 1))
        self._dead = Statement(update(table).where(this).values(dead_at=bindparam("at"), **note))
        self._hasten = Statement(hastening(table))
        shown = [c[name] for name in Delivery.__dataclass_fields__]
        self._recent = Statement(select(*shown).order_by(c.created_at.desc()).limit(bindparam("most")))
        self._depth = Statement(select(func.count()).select_from(table).where(waits))
        old = select(c.message_id, c.endpoint).where(c.delivered_at < bindparam("before")).limit(bindparam("most"))
        self._forget = Statement(delete(table).where(ids.in_(old)))

    def add(
        self,
        tx: Transaction,
        *,
        message_id: str,
        endpoint: str,
        event_type: str,
        body: bytes,
        now: float,
        order_key: str | None = None,
        fold_key: str | None = None,
        due_at: float | None = None,
        folded: int = 0,
    ) -> None:
        """Keep the message until it is delivered; the transaction that decided it is the one that keeps it.

        It is not sent before `due_at`, and may take in others by its `fold_key` until it is sent. An empty key is none.
        It stands for `folded` more than itself.
        """
        order_key, fold_key = order_key or None, fold_key or None
        newest = None if order_key is None else tx.one(self._newest, to=endpoint, key=order_key)
        created_at, next_attempt_at = now, now if due_at is None else due_at
        if newest is not None:
            # The clocks of two processes differ, and one may be put back: what comes later is later all the same. It is
            # not bound for longer than if it had been put aside, as what it follows may be settled at this moment.
            created_at = max(now, newest[0] + MOMENT)
            next_attempt_at = max(next_attempt_at, min(newest[1], created_at + PARKED_SECONDS))
        tx.run(
            self._add,
            **_new_row(message_id, endpoint, event_type, body),
            created_at=created_at,
            next_attempt_at=next_attempt_at,
            order_key=order_key,
            fold_key=fold_key,
            folded=folded,
            traceparent=tx.traceparent,
        )

    def add_once(
        self, tx: Transaction, *, message_id: str, endpoint: str, event_type: str, body: bytes, now: float
    ) -> bool:
        """Keep the message unless one of its id was kept before, by whichever process; whether it was new."""
        row = _new_row(message_id, endpoint, event_type, body)
        row |= {"created_at": now, "next_attempt_at": now, "order_key": None, "fold_key": None, "folded": 0}
        return tx.run(self._add_once, **row, traceparent=tx.traceparent) == 1

    def fold(self, tx: Transaction, *, endpoint: str, fold_key: str, into: FoldInto, more: int = 1) -> int | None:
        """Let the message that waits with that key stand for `more`; how many more than itself it stands for now.

        Nothing when none waits that was never sent: one that a receiver may have seen is not altered, since it would
        be dropped there as a repetition. Nor is one that a later message of its order key follows, which what is
        folded would overtake; one that takes in others itself may be overtaken.
        """
        found = tx.one(self._foldable, to=endpoint, key=fold_key)
        if found is None:
            return None
        message_id, body, folded = found
        count = int(folded) + more
        text = into(body, count)
        if text is None:
            return None
        tx.run(self._fold, id=message_id, to=endpoint, text=text, count=count)
        return count

    def claim(self, tx: Transaction, *, endpoint: str, now: float, limit: int, lease_seconds: float) -> list[Message]:
        """Messages that are due, oldest first, ours alone until the lease ends; if we die, others get them then.

        Fewer than `limit` do not mean that nothing else is due: what was found to follow another one is put aside, and
        the next claim looks further.
        """
        window = 4 * limit + 64
        last = tx.one(self._bound, to=endpoint, at=now, skip=window)
        bound = now if last is None else last[0]
        rows = tx.all(self._claim, to=endpoint, at=now, until=now + lease_seconds, most=limit, bound=bound)
        if len(rows) < limit:
            tx.run(self._park, to=endpoint, at=now, until=now + PARKED_SECONDS, most=window, bound=bound)
        names = tuple(Message.__dataclass_fields__)
        messages = [Message(**dict(zip(names, row, strict=True))) for row in rows]
        return sorted(messages, key=lambda message: message.created_at)

    def release(self, tx: Transaction, messages: Sequence[Message]) -> None:
        """Give back what was claimed and never sent."""
        tx.many(self._release, [{"id": each.message_id, "to": each.endpoint} for each in messages])

    def next_due(self, tx: Transaction, *, endpoint: str, now: float) -> float | None:
        """When the next message of that endpoint may be claimed (`now`: at once), or nothing when none waits."""
        if tx.one(self._is_due, to=endpoint, at=now) is not None:
            return now
        return min((row[0] for row in tx.all(self._moments, to=endpoint, at=now) if row[0] is not None), default=None)

    def waiting(self, tx: Transaction) -> list[str]:
        """Every endpoint that something waits for, each once."""
        return [row[0] for row in tx.all(self._waiting)]

    def delivered(self, tx: Transaction, messages: Sequence[Message], *, now: float, status: int) -> None:
        """The receiver has them."""
        given = {"at": now, "status": status, "problem": None}
        tx.many(self._delivered, [{"id": each.message_id, "to": each.endpoint, **given} for each in messages])
        self._go_on(tx, messages, now)

    def retry(
        self, tx: Transaction, message: Message, *, next_attempt_at: float, status: int | None, error: str
    ) -> None:
        """The attempt failed; there will be another one."""
        told = {"status": status, "problem": error[:LONGEST_ERROR]}
        tx.run(self._retry, id=message.message_id, to=message.endpoint, again_at=next_attempt_at, **told)

    def dead(self, tx: Transaction, message: Message, *, now: float, status: int | None, error: str) -> None:
        """No attempt will follow; the row stays and says why. What waited behind it goes on."""
        told = {"status": status, "problem": error[:LONGEST_ERROR]}
        tx.run(self._dead, id=message.message_id, to=message.endpoint, at=now, **told)
        self._go_on(tx, [message], now)

    def give_up(self, tx: Transaction, *, endpoint: str, now: float, error: str) -> int:
        """No attempt will follow for anything that waits for that endpoint. How many there were."""
        return tx.run(self._give_up, to=endpoint, at=now, status=None, problem=error[:LONGEST_ERROR])

    def remove(self, tx: Transaction, *, endpoint: str) -> int:
        """Delete whatever was for that endpoint, dead messages too: it is gone, and nobody can ask for them any more.
        How many there were. It walks through the table."""
        return tx.run(self._remove, to=endpoint)

    def hasten(self, tx: Transaction, *, endpoint: str, now: float, limit: int) -> int:
        """Make what waits for that endpoint due at once, `limit` at most: it answers again. How many there were."""
        return tx.run(self._hasten, to=endpoint, at=now, most=limit)

    def recent(self, tx: Transaction, limit: int) -> list[Delivery]:
        """The newest messages and how they fare."""
        names = tuple(Delivery.__dataclass_fields__)
        return [Delivery(**dict(zip(names, row, strict=True))) for row in tx.all(self._recent, most=limit)]

    def depth(self, tx: Transaction) -> int:
        """How many messages wait."""
        row = tx.one(self._depth)
        return int(row[0]) if row else 0

    def forget(self, tx: Transaction, *, before: float, limit: int) -> int:
        """Delete messages delivered before that time, at most `limit`; dead ones stay. How many there were."""
        return tx.run(self._forget, before=before, most=limit)

    def _go_on(self, tx: Transaction, settled: Sequence[Message], now: float) -> None:
        """Whatever waits behind those is due."""
        keys = {(each.endpoint, each.order_key) for each in settled if each.order_key is not None}
        held = now + HOLD_SECONDS
        tx.many(self._free, [{"to": endpoint, "key": key, "at": now, "held": held} for endpoint, key in sorted(keys)])


def _new_row(message_id: str, endpoint: str, event_type: str, body: bytes) -> dict[str, Any]:
    """What every message begins with."""
    return {
        "message_id": message_id,
        "endpoint": endpoint,
        "event_type": event_type,
        "body": body,
        "attempts": 0,
        "claimed_until": 0.0,
        "delivered_at": None,
        "dead_at": None,
        "last_status": None,
        "last_error": None,
    }
