"""The table of an outbox and its statements: the SQL, and nothing of what it means for a message."""

from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    Update,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
    tuple_,
    update,
)


def outbox_table(metadata: MetaData, name: str = "outbox") -> Table:
    """The table, for a service's own metadata."""
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
        Column("order_key", Text),
        Column("fold_key", Text),
        Column("folded", Integer, nullable=False, server_default=text("0")),
        Column("traceparent", Text),
    )
    c = table.c
    waits = waiting_in(table)
    # Most rows are delivered ones; the worker looks only at the few that wait.
    for suffix, columns, where in (
        ("waiting", (c.endpoint, c.next_attempt_at), waits),
        ("order", (c.endpoint, c.order_key, c.created_at, c.message_id), and_(waits, c.order_key.is_not(None))),
        ("fold", (c.endpoint, c.fold_key, c.created_at), and_(waits, c.fold_key.is_not(None))),
        ("delivered", (c.delivered_at,), c.delivered_at.is_not(None)),
    ):
        Index(f"{name}_{suffix}", *columns, sqlite_where=where, postgresql_where=where)
    return table


def waiting_in(table: Any) -> ColumnElement[bool]:
    """Neither delivered nor dead: it waits, or is in flight."""
    return and_(table.c.delivered_at.is_(None), table.c.dead_at.is_(None))


def this_one(table: Any) -> ColumnElement[bool]:
    """The message with that id to that endpoint, if it waits or is in flight: found by its key alone. Said as for the
    others, a planner that knows nothing of the table has walked through all that waits instead."""
    c = table.c
    is_open = func.coalesce(c.delivered_at, c.dead_at).is_(None)
    return and_(c.message_id == bindparam("id"), c.endpoint == bindparam("to"), is_open)


def _is_due(table: Any) -> ColumnElement[bool]:
    c = table.c
    return and_(
        c.endpoint == bindparam("to"), waiting_in(table), c.next_attempt_at <= bindparam("at"),
        c.claimed_until <= bindparam("at"),
    )  # fmt: skip


def _first_of_its_key(row: Any, table: Table) -> ColumnElement[Any]:
    """The oldest message that waits, or is in flight, with that row's key; the row itself when it has none."""
    e = table.alias("earlier")
    of_key = and_(e.c.endpoint == row.c.endpoint, e.c.order_key == row.c.order_key, waiting_in(e))
    # Asked like this there is one index that answers it at once, whatever a planner believes of the table; the same
    # question as NOT EXISTS has been answered by walking through all that waits.
    oldest = select(e.c.message_id).where(of_key).order_by(e.c.created_at, e.c.message_id).limit(1)
    return func.coalesce(oldest.scalar_subquery(), row.c.message_id)


def _in_front(table: Table) -> tuple[Any, Select[Any]]:
    """The messages of a lane that are due and not behind `bound`, the oldest first."""
    row = table.alias("chosen")
    chosen = (
        select(row.c.message_id, row.c.endpoint)
        .where(_is_due(row), row.c.next_attempt_at <= bindparam("bound"))
        .order_by(row.c.next_attempt_at)
        # Of two workers the second takes what the first has not; where writers take turns it says nothing.
        .with_for_update(skip_locked=True)
    )
    return row, chosen


def bounding(table: Table) -> Select[Any]:
    """The time of the due message behind which a claim does not look, however much waits there."""
    c = table.c
    return (
        select(c.next_attempt_at).where(_is_due(table)).order_by(c.next_attempt_at).limit(1).offset(bindparam("skip"))
    )


def claiming(table: Table) -> Update:
    """Due messages that follow no other, for us alone until `until`."""
    c = table.c
    row, chosen = _in_front(table)
    free = chosen.where(row.c.message_id == _first_of_its_key(row, table)).limit(bindparam("most"))
    return (
        update(table)
        .where(tuple_(c.message_id, c.endpoint).in_(free))
        .values(claimed_until=bindparam("until"), attempts=c.attempts + 1)
    )


def parking(table: Table) -> Update:
    """Due messages that follow another: aside until `until`, so that nobody looks at them again and again."""
    row, chosen = _in_front(table)
    following = chosen.where(row.c.message_id != _first_of_its_key(row, table)).limit(bindparam("most"))
    return (
        update(table)
        .where(tuple_(table.c.message_id, table.c.endpoint).in_(following))
        .values(next_attempt_at=bindparam("until"))
    )


def freeing(table: Table) -> Update:
    """The first of those that wait with that key, due at once; one that still takes in others keeps its moment, unless
    that is after `held`: then it was put aside."""
    first, c = table.alias("first"), table.c
    of_key = and_(first.c.endpoint == bindparam("to"), first.c.order_key == bindparam("key"), waiting_in(first))
    head = select(first.c.message_id).where(of_key).order_by(first.c.created_at, first.c.message_id).limit(1)
    is_put_aside = or_(c.fold_key.is_(None), c.attempts > 0, c.next_attempt_at > bindparam("held"))
    is_late = and_(c.next_attempt_at > bindparam("at"), is_put_aside)
    return (
        update(table)
        .where(c.message_id == head.scalar_subquery(), c.endpoint == bindparam("to"))
        .values(next_attempt_at=case((is_late, bindparam("at")), else_=c.next_attempt_at))
    )


def hastening(table: Table) -> Update:
    """The next `most` that wait for a later time, due at once."""
    c = table.c
    later = (
        select(c.message_id, c.endpoint)
        .where(c.endpoint == bindparam("to"), waiting_in(table), c.next_attempt_at > bindparam("at"))
        .order_by(c.next_attempt_at)
        .limit(bindparam("most"))
    )
    ids = tuple_(c.message_id, c.endpoint)
    return update(table).where(ids.in_(later)).values(next_attempt_at=bindparam("at"))


def foldable(table: Table) -> Select[Any]:
    """The newest message with that fold key that was never sent and that no later one of its order key follows, but for
    those that take in others too."""
    c, later = table.c, table.alias("later")
    of_key = and_(later.c.endpoint == c.endpoint, later.c.order_key == c.order_key, waiting_in(later))
    newest = (
        select(later.c.created_at)
        .where(of_key, later.c.fold_key.is_(None))
        .order_by(later.c.created_at.desc(), later.c.message_id.desc())
        .limit(1)
    )
    return (
        select(c.message_id, c.body, c.folded)
        .where(c.endpoint == bindparam("to"), waiting_in(table), c.fold_key == bindparam("key"), c.attempts == 0)
        .where(c.created_at >= func.coalesce(newest.scalar_subquery(), c.created_at))
        .order_by(c.created_at.desc())
        .limit(1)
        .with_for_update(skip_locked=True, of=table)
    )


def next_moments(table: Table) -> CompoundSelect[Any]:
    """When the first comes that waits for a later time, and when the first lease ends; nothing of what is due now."""
    c = table.c
    lane = and_(c.endpoint == bindparam("to"), waiting_in(table))
    later = select(func.min(c.next_attempt_at).label("moment")).where(lane, c.next_attempt_at > bindparam("at"))
    leased = select(func.min(c.claimed_until)).where(
        lane, c.next_attempt_at <= bindparam("at"), c.claimed_until > bindparam("at")
    )
    return later.union_all(leased)


def is_any_due(table: Table) -> Select[Any]:
    """One row if anything may be claimed now."""
    return select(table.c.message_id).where(_is_due(table)).order_by(table.c.next_attempt_at).limit(1)


def each_endpoint(table: Table) -> Select[Any]:
    """From each endpoint to the next on the index: as many steps as there are endpoints, whatever waits for them."""
    name, waits = table.c.endpoint, waiting_in(table)
    first = select(func.min(name).label("name")).where(waits)
    found = first.cte("found", recursive=True)
    following = select(func.min(name)).where(waits, name > found.c.name).scalar_subquery()
    found = found.union_all(select(following).where(found.c.name.is_not(None)))
    return select(found.c.name).where(found.c.name.is_not(None))
