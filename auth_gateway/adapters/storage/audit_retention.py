"""How long the audit trail is kept: by whole months on PostgreSQL, line by line in a file. Without a span: for ever.

A line that still waits to be told, or that a replay has yet to come by, is kept whatever its age.
"""

import asyncio
from functools import partial
from typing import Final

from sqlalchemy import Float, Integer, and_, bindparam, delete, exists, func, select

from auth_gateway.adapters.storage.tables import AuditRow, table_of
from auth_gateway.adapters.storage.tables_events import ReplayRow
from plumbing.clock import Clock
from plumbing.database import Database
from plumbing.partitions import Months, dropped, old_months
from plumbing.statements import Statement, Transaction

PAGE_LINES: Final = 500
"""Lines that one transaction looks at, so that the writer is never held for long."""
DAY_SECONDS: Final = 86_400.0

_audit, _replays = table_of(AuditRow), table_of(ReplayRow)
MONTHS: Final = Months("audit", "ts")
_page = (
    select(_audit.c.seq, _audit.c.ts)
    .where(_audit.c.seq > bindparam("after", type_=Integer))
    .order_by(_audit.c.seq)
    .limit(PAGE_LINES)
    .subquery()
)
PAGE = Statement(select(func.count(), func.max(_page.c.seq), func.min(_page.c.ts)).select_from(_page))
# Where a replay has come to; what lies behind that it has told.
FIRST_NEEDED = Statement(select(func.min(_replays.c.at_ts)).where(_replays.c.ended_at.is_(None)))
DROP = Statement(
    delete(_audit).where(
        _audit.c.seq > bindparam("after", type_=Integer),
        _audit.c.seq <= bindparam("last", type_=Integer),
        _audit.c.ts < bindparam("before", type_=Float),
        _audit.c.waits.is_(None),
    )
)
WAITS_BEFORE = Statement(select(exists().where(and_(_audit.c.waits.is_not(None), _audit.c.ts < bindparam("before")))))


class AuditRetention:
    """Forgets what is older than `days`; to be run now and then. On PostgreSQL it makes the months to come, too."""

    def __init__(self, database: Database, *, clock: Clock, days: int | None) -> None:
        self._database = database
        self._clock = clock
        self._days = days

    async def __call__(self) -> int:
        """How many lines, or on PostgreSQL months, are gone. Raises: Refused."""
        if self._database.engine.dialect.name == "postgresql":
            return await asyncio.to_thread(self._drop_months)
        return 0 if self._days is None else await self._drop_lines(self._clock.now() - self._days * DAY_SECONDS)

    async def _drop_lines(self, before: float) -> int:
        gone, after = 0, 0
        while True:
            dropped, last = await self._database.write(partial(_drop_page, before=before, after=after))
            gone += dropped
            if last is None:
                return gone
            after = last

    def _drop_months(self) -> int:
        now, gone = self._clock.now(), 0
        before = None if self._days is None else now - self._days * DAY_SECONDS
        for month in old_months(self._database.engine, MONTHS, now=now, before=before):
            if self._database.read(partial(_is_needed, until=month.until)):
                break
            gone += dropped(self._database.engine, MONTHS, month)
        return gone


def _drop_page(tx: Transaction, *, before: float, after: int) -> tuple[int, int | None]:
    """How many lines of the next page are gone, and where it ended; None when nothing behind it is old."""
    row = tx.one(PAGE, after=after)
    if row is None or not row[0] or row[2] >= before:
        return 0, None
    gone = tx.run(DROP, after=after, last=row[1], before=min(before, _first_needed(tx)))
    return gone, row[1] if row[0] == PAGE_LINES else None


def _first_needed(tx: Transaction) -> float:
    row = tx.one(FIRST_NEEDED)
    return float("inf") if row is None or row[0] is None else float(row[0])


def _is_needed(tx: Transaction, *, until: float) -> bool:
    return until > _first_needed(tx) or bool((tx.one(WAITS_BEFORE, before=until) or (0,))[0])
