"""What must be announced, in the same database and the same transaction as the decision itself."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from plumbing.statements import Statement, Transaction

LONGEST_ERROR: Final = 200


def outbox_table(metadata: MetaData, name: str = "outbox") -> Table:
    """The table, for a service's own metadata; in a migration: `outbox_table(MetaData()).create(op.get_bind())`."""
    table = Table(
        name,
        metadata,
        Column("message_id", Text, primary_key=True),
        Column("endpoint", Text, primary_key=True),
        Column("event_type", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("created_at", Float, nullable=False),
        Column("next_attempt_at", Float, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("claimed_until", Float, nullable=False),
        Column("delivered_at", Float),
        Column("dead_at", Float),
        Column("last_status", Integer),
        Column("last_error", Text),
    )
    waits = and_(table.c.delivered_at.is_(None), table.c.dead_at.is_(None))
    # Most rows are delivered ones; the worker looks only at the few that wait.
    Index(
        f"{name}_waiting",
        table.c.endpoint,
        table.c.next_attempt_at,
        sqlite_where=waits,
        postgresql_where=waits,
    )
    return table


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One claimed message: to whom, and the exact bytes. `attempts` counts this one."""

    message_id: str
    endpoint: str
    event_type: str
    body: bytes
    created_at: float
    attempts: int


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


class Outbox:
    """The rows of one outbox table. A row once added leaves only as delivered, or as dead with a reason."""

    def __init__(self, table: Table) -> None:
        c = table.c
        waits = and_(c.delivered_at.is_(None), c.dead_at.is_(None))
        this = and_(c.message_id == bindparam("id"), c.endpoint == bindparam("to"), waits)
        lane = and_(c.endpoint == bindparam("to"), waits)
        due = (
            select(c.message_id, c.endpoint)
            .where(lane, c.next_attempt_at <= bindparam("at"), c.claimed_until <= bindparam("at"))
            .order_by(c.next_attempt_at)
            .limit(bindparam("most"))
            # Of two workers the second takes what the first has not; where writers take turns it says nothing.
            .with_for_update(skip_locked=True)
        )
        note: dict[str, Any] = {"last_status": bindparam("status"), "last_error": bindparam("problem")}
        self._add = Statement(insert(table))
        self._claim = Statement(
            update(table)
            .where(tuple_(c.message_id, c.endpoint).in_(due))
            .values(claimed_until=bindparam("until"), attempts=c.attempts + 1)
            .returning(c.message_id, c.endpoint, c.event_type, c.body, c.created_at, c.attempts)
        )
        self._next = Statement(
            select(
                func.min(case((c.claimed_until > c.next_attempt_at, c.claimed_until), else_=c.next_attempt_at))
            ).where(lane)
        )
        self._waiting = Statement(_each_endpoint(c.endpoint, waits))
        self._give_up = Statement(update(table).where(lane).values(dead_at=bindparam("at"), **note))
        self._delivered = Statement(update(table).where(this).values(delivered_at=bindparam("at"), **note))
        self._retry = Statement(
            update(table).where(this).values(next_attempt_at=bindparam("again_at"), claimed_until=0.0, **note)
        )
        self._dead = Statement(update(table).where(this).values(dead_at=bindparam("at"), **note))
        self._hasten = Statement(
            update(table).where(lane, c.next_attempt_at > bindparam("at")).values(next_attempt_at=bindparam("at"))
        )
        shown = [c[name] for name in Delivery.__dataclass_fields__]
        self._recent = Statement(select(*shown).order_by(c.created_at.desc()).limit(bindparam("most")))
        self._depth = Statement(select(func.count()).select_from(table).where(waits))
        old = select(c.message_id, c.endpoint).where(c.delivered_at < bindparam("before")).limit(bindparam("most"))
        self._forget = Statement(delete(table).where(tuple_(c.message_id, c.endpoint).in_(old)))

    def add(self, tx: Transaction, *, message_id: str, endpoint: str, event_type: str, body: bytes, now: float) -> None:
        """Keep the message until it is delivered; the transaction that decided it is the one that keeps it."""
        tx.run(
            self._add,
            message_id=message_id,
            endpoint=endpoint,
            event_type=event_type,
            body=body,
            created_at=now,
            next_attempt_at=now,
            attempts=0,
            claimed_until=0.0,
            delivered_at=None,
            dead_at=None,
            last_status=None,
            last_error=None,
        )

    def claim(self, tx: Transaction, *, endpoint: str, now: float, limit: int, lease_seconds: float) -> list[Message]:
        """Messages that are due, oldest first, ours alone until the lease ends; if we die, others get them then."""
        rows = tx.all(self._claim, to=endpoint, at=now, until=now + lease_seconds, most=limit)
        names = ("message_id", "endpoint", "event_type", "body", "created_at", "attempts")
        messages = [Message(**dict(zip(names, row, strict=True))) for row in rows]
        return sorted(messages, key=lambda message: message.created_at)

    def next_due(self, tx: Transaction, *, endpoint: str) -> float | None:
        """When the next message of that endpoint may be claimed, or nothing when none waits."""
        row = tx.one(self._next, to=endpoint)
        return row[0] if row else None

    def waiting(self, tx: Transaction) -> list[str]:
        """Every endpoint that something waits for, each once."""
        return [row[0] for row in tx.all(self._waiting)]

    def delivered(self, tx: Transaction, *, message_id: str, endpoint: str, now: float, status: int) -> None:
        """The receiver has it."""
        tx.run(self._delivered, id=message_id, to=endpoint, at=now, status=status, problem=None)

    def retry(
        self,
        tx: Transaction,
        *,
        message_id: str,
        endpoint: str,
        next_attempt_at: float,
        status: int | None,
        error: str,
    ) -> None:
        """The attempt failed; there will be another one."""
        problem = error[:LONGEST_ERROR]
        tx.run(self._retry, id=message_id, to=endpoint, again_at=next_attempt_at, status=status, problem=problem)

    def dead(
        self, tx: Transaction, *, message_id: str, endpoint: str, now: float, status: int | None, error: str
    ) -> None:
        """No attempt will follow; the row stays and says why."""
        tx.run(self._dead, id=message_id, to=endpoint, at=now, status=status, problem=error[:LONGEST_ERROR])

    def give_up(self, tx: Transaction, *, endpoint: str, now: float, error: str) -> int:
        """No attempt will follow for anything that waits for that endpoint. How many there were."""
        return tx.run(self._give_up, to=endpoint, at=now, status=None, problem=error[:LONGEST_ERROR])

    def hasten(self, tx: Transaction, *, endpoint: str, now: float) -> int:
        """Make everything that waits for that endpoint due at once: it answers again. How many there were."""
        return tx.run(self._hasten, to=endpoint, at=now)

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


def _each_endpoint(name: Column[Any], waits: ColumnElement[bool]) -> Select[Any]:
    """From each endpoint to the next on the index: as many steps as there are endpoints, whatever waits for them."""
    first = select(func.min(name).label("name")).where(waits)
    found = first.cte("found", recursive=True)
    following = select(func.min(name)).where(waits, name > found.c.name).scalar_subquery()
    found = found.union_all(select(following).where(found.c.name.is_not(None)))
    return select(found.c.name).where(found.c.name.is_not(None))
