"""Rows of the console that are old, or of a person who is erased, go."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
from sqlalchemy import bindparam, delete, select

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.expressions import numbers_of
from plumbing.partitions import Months, dropped, old_months
from plumbing.statements import Statement
from risk_scorer.adapters.console.sign_in_mark import interrupt
from risk_scorer.adapters.tables import sign_ins

MONTHS: Final = Months("sign_ins", "ts")
TOGETHER: Final = 500
"""Rows that one transaction deletes, so that the writer is never held for long."""

_rows = sign_ins.c
OLD = Statement(select(_rows.seq).where(_rows.ts < bindparam("before")).order_by(_rows.ts).limit(TOGETHER))
OF_PERSON = Statement(select(_rows.seq).where(_rows.user_id == bindparam("of_user")).limit(TOGETHER))
DROP = Statement(delete(sign_ins).where(_rows.seq.in_(numbers_of(bindparam("ids")))))


class SignInAges:
    """Prunes a file piece by piece."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prune(self, before: float) -> int:
        """Forget what was scored before that time; how much went. Raises: Refused."""
        total = 0
        while gone := await self._database.write(lambda tx: _gone(tx, [row[0] for row in tx.all(OLD, before=before)])):
            total += gone
        return total


class SignInMonths:
    """Prunes by whole months where rows are kept by them, one process at a time."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def prune(self, before: float) -> int:
        """Drop the months that lie before that time, and make those to come; how many went. Raises: Refused."""
        return await asyncio.to_thread(self._prune, before)

    def _prune(self, before: float) -> int:
        engine = self._database.engine
        old = old_months(engine, MONTHS, now=self._clock.now(), before=before)
        return sum(dropped(engine, MONTHS, month) for month in old)


def erase_sign_ins(database: Database, user_id: str) -> int:
    """Delete this person's rows once their logins have left the log; how many. Blocks. Raises: Refused."""
    # Whoever read them in the log before they left it finds that it may not write them any more.
    database.write_sync(interrupt)
    gone = 0
    while deleted := database.write_sync(lambda tx: _gone(tx, [row[0] for row in tx.all(OF_PERSON, of_user=user_id)])):
        gone += deleted
    return gone


def _gone(tx: Transaction, ids: list[int]) -> int:
    return tx.run(DROP, ids=msgspec.json.encode(ids).decode()) if ids else 0
