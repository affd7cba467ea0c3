"""How a receiver stands: what waits for it, what was given up, when it last took something, and why it last did not.

Every question is bounded: a receiver for which a million messages wait costs no more than one with a thousand.
"""

from typing import Any, Final

import msgspec
from sqlalchemy import Table, and_, bindparam, func, select

from plumbing.statements import Statement, Transaction
from webhooks.outbox_table import waiting_in

MOST_COUNTED: Final = 1_000
"""Messages that wait, or are dead, are counted up to this many: more is "at least so many"."""
NEWEST_LOOKED_AT: Final = 200
"""The last success is looked for among so many of the newest messages."""


class EndpointStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint of an outbox. Times are epoch seconds; `oldest_at` is when the oldest that waits was made, among
    those that were counted, and `failed_at` when the message was made, or given up, that was refused last."""

    waiting: int = 0
    oldest_at: float | None = None
    dead: int = 0
    delivered_at: float | None = None
    failed_at: float | None = None
    failed_status: int | None = None
    failed_error: str | None = None


class Standings:
    """The rows of one outbox table, summed up for one endpoint. It wants an index over endpoint and time of making, and
    one of the dead."""

    def __init__(self, table: Table) -> None:
        c = table.c
        of = c.endpoint == bindparam("to")
        is_dead = and_(c.dead_at.is_not(None), c.delivered_at.is_(None))
        some: Any = select(c.created_at).where(of, waiting_in(table)).limit(MOST_COUNTED).subquery()
        self._waiting = Statement(select(func.count(), func.min(some.c.created_at)).select_from(some))
        dead: Any = select(c.created_at).where(of, is_dead).limit(MOST_COUNTED).subquery()
        self._dead = Statement(select(func.count()).select_from(dead))
        backwards = (c.created_at.desc(), c.message_id.desc())
        newest: Any = (
            select(c.delivered_at, c.created_at).where(of).order_by(*backwards).limit(NEWEST_LOOKED_AT).subquery()
        )
        self._taken = Statement(select(func.max(newest.c.delivered_at)).select_from(newest))
        told = (c.last_status, c.last_error)
        self._refused = Statement(
            select(func.coalesce(c.dead_at, c.created_at), *told).where(of, is_dead).order_by(*backwards).limit(1)
        )
        tried: Any = (
            select(c.created_at, c.message_id, *told).where(of, waiting_in(table)).limit(MOST_COUNTED).subquery()
        )
        self._failing = Statement(
            select(tried.c.created_at, tried.c.last_status, tried.c.last_error)
            .where(tried.c.last_error.is_not(None))
            .order_by(tried.c.created_at.desc(), tried.c.message_id.desc())
            .limit(1)
        )

    def of(self, tx: Transaction, endpoint: str) -> EndpointStanding:
        """How that endpoint stands now."""
        waits, dead = tx.one(self._waiting, to=endpoint), tx.one(self._dead, to=endpoint)
        taken = tx.one(self._taken, to=endpoint)
        refusals = [row for row in (tx.one(self._failing, to=endpoint), tx.one(self._refused, to=endpoint)) if row]
        last = max(refusals, key=lambda row: float(row[0]), default=(None, None, None))
        return EndpointStanding(
            waiting=int(waits[0]) if waits else 0,
            oldest_at=waits[1] if waits else None,
            dead=int(dead[0]) if dead else 0,
            delivered_at=taken[0] if taken else None,
            failed_at=last[0],
            failed_status=last[1],
            failed_error=last[2],
        )
