"""The newest rows of the console in the order in which they were taken from the log, whichever process took them."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from plumbing.database import Database
from plumbing.statements import Statement
from risk_scorer.adapters.console.sign_in_statements import COLUMNS, READ
from risk_scorer.adapters.tables import sign_ins
from risk_scorer.core.console.sign_in import SignIn

_rows = sign_ins.c
NEWEST = Statement(
    select(*READ).where(_rows.seq > bindparam("above")).order_by(_rows.seq.desc()).limit(bindparam("most"))
)
LAST = Statement(select(func.coalesce(func.max(_rows.seq), 0)))


class LiveRows:
    """Reads beside the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last(self) -> int:
        """The number of the newest row, 0 where there is none. Raises: Refused."""
        row = await self._database.read_in_thread(lambda tx: tx.one(LAST))
        return 0 if row is None else int(row[0])

    async def above(self, seq: int, most: int) -> list[SignIn]:
        """Those with a higher number, the newest first, so many at the most. Raises: Refused."""
        rows = await self._database.read_in_thread(lambda tx: tx.all(NEWEST, above=seq, most=most))
        return [SignIn(**dict(zip(COLUMNS, row, strict=True))) for row in rows]
