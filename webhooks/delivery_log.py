"""How messages fared, for those who run a receiver: a page at a time, newest first; and what is dead, tried again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import ColumnElement, Float, Select, Table, Text, and_, bindparam, func, or_, select, tuple_, update

from plumbing.statements import Row, Statement, Transaction, Value
from webhooks.outbox_table import waiting_in

Status = Literal["waiting", "in_flight", "delivered", "dead"]
"""Waiting for its next attempt, being sent, taken by the receiver, or given up."""
STATUSES: Final[tuple[Status, ...]] = ("waiting", "in_flight", "delivered", "dead")

_LATEST: Final = 1e18


class Before(NamedTuple):
    """The place of the last entry of a page; the next page is what was made before it."""

    created_at: float
    message_id: str


NEWEST: Final = Before(_LATEST, "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One message and how it fares, everything but its body. `folded` is how many more it stands for."""

    message_id: str
    event_type: str
    created_at: float
    next_attempt_at: float
    claimed_until: float
    attempts: int
    delivered_at: float | None
    dead_at: float | None
    last_status: int | None
    last_error: str | None
    folded: int

    def status(self, now: float) -> Status:
        """How it stands at that time."""
        if self.delivered_at is not None:
            return "delivered"
        if self.dead_at is not None:
            return "dead"
        return "in_flight" if self.claimed_until > now else "waiting"


class DeliveryLog:
    """The rows of one outbox table as a log of deliveries to each endpoint."""

    def __init__(self, table: Table) -> None:
        c = table.c
        this = and_(c.endpoint == bindparam("to"), c.message_id == bindparam("id"))
        is_dead = and_(c.dead_at.is_not(None), c.delivered_at.is_(None))
        waits = waiting_in(table)
        now: Any = bindparam("now", type_=Float)
        conditions: Mapping[Status, ColumnElement[bool]] = {
            "waiting": and_(waits, c.claimed_until <= now),
            "in_flight": and_(waits, c.claimed_until > now),
            "delivered": c.delivered_at.is_not(None),
            "dead": is_dead,
        }
        self._page = Statement(_page(table))
        self._pages = {status: Statement(_page(table).where(where)) for status, where in conditions.items()}
        self._find = Statement(_shown(table).where(this))
        # What a receiver may have seen takes in no others any more, though it begins anew.
        again = {"dead_at": None, "attempts": 0, "next_attempt_at": now, "claimed_until": 0.0, "fold_key": None}
        self._revive = Statement(
            update(table).where(this, or_(is_dead, and_(waits, c.claimed_until <= now))).values(**again)
        )
        dead = select(c.message_id).where(c.endpoint == bindparam("to"), is_dead)
        oldest = dead.order_by(c.created_at, c.message_id).limit(bindparam("most"))
        self._revive_dead = Statement(
            update(table).where(c.endpoint == bindparam("to"), c.message_id.in_(oldest)).values(**again)
        )
        some = select(c.message_id).where(c.endpoint == bindparam("to"), waits).limit(bindparam("most")).subquery()
        self._waiting = Statement(select(func.count()).select_from(some))

    def page(
        self,
        tx: Transaction,
        *,
        endpoint: str,
        now: float,
        limit: int,
        status: Status | None = None,
        before: Before = NEWEST,
    ) -> list[Entry]:
        """The newest messages to that endpoint that were made before `before`, of that status alone if one is given."""
        given: dict[str, Value] = {"to": endpoint, "made": before.created_at, "last": before.message_id, "most": limit}
        if status in {"waiting", "in_flight"}:
            given["now"] = now
        statement = self._page if status is None else self._pages[status]
        return [_entry(row) for row in tx.all(statement, **given)]

    def find(self, tx: Transaction, *, endpoint: str, message_id: str) -> Entry | None:
        """That message."""
        row = tx.one(self._find, to=endpoint, id=message_id)
        return None if row is None else _entry(row)

    def revive(self, tx: Transaction, *, endpoint: str, message_id: str, now: float) -> bool:
        """Make a message that waits or is dead due at once, with all its attempts before it. False when it is in
        flight, delivered, or not there."""
        return tx.run(self._revive, to=endpoint, id=message_id, now=now) == 1

    def revive_dead(self, tx: Transaction, *, endpoint: str, now: float, limit: int) -> int:
        """The same for the oldest dead ones; how many there were."""
        return tx.run(self._revive_dead, to=endpoint, now=now, most=limit)

    def waiting(self, tx: Transaction, *, endpoint: str, most: int) -> int:
        """How many wait or are in flight; no more than `most` are counted."""
        row = tx.one(self._waiting, to=endpoint, most=most)
        return int(row[0]) if row else 0


def _shown(table: Table) -> Select[Any]:
    return select(*(table.c[name] for name in Entry.__dataclass_fields__))


def _page(table: Table) -> Select[Any]:
    c = table.c
    place: Any = tuple_(bindparam("made", type_=Float), bindparam("last", type_=Text))
    return (
        _shown(table)
        .where(c.endpoint == bindparam("to"), tuple_(c.created_at, c.message_id) < place)
        .order_by(c.created_at.desc(), c.message_id.desc())
        .limit(bindparam("most"))
    )


def _entry(row: Row) -> Entry:
    return Entry(**dict(zip(Entry.__dataclass_fields__, row, strict=True)))
