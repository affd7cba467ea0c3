"""The log of scored events on PostgreSQL by months: made ahead, and dropped as a whole once all of it is old."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from sqlalchemy import Connection

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.partitions import Months, Partition, dropped, old_months
from risk_scorer.adapters.event_places import forget_row

MONTHS: Final = Months("scored_events", "ts_scored")
PAGE_ROWS: Final = 500
"""Rows of the log whose places one transaction forgets, so that the writer is never held for long."""


class EventMonths:
    """What prunes the log where it is kept by months, one process at a time."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def prune(self, before: float) -> int:
        """Drop the months that lie before that time, and make those to come; how many went.

        Raises: Refused.
        """
        return await asyncio.to_thread(self._prune, before)

    def _prune(self, before: float) -> int:
        engine = self._database.engine
        gone = 0
        for month in old_months(engine, MONTHS, now=self._clock.now(), before=before):
            # Nobody writes to a month that is over: its places go bit by bit, and only then is the log's table held.
            self._forget_places(month)
            gone += dropped(engine, MONTHS, month)
        return gone

    def _forget_places(self, partition: Partition) -> None:
        after = 0
        while True:
            with self._database.engine.connect() as connection:
                rows = _page(connection, partition.name, after)
            if not rows:
                return
            self._database.write_sync(partial(_forget, rows=rows))
            after = rows[-1][0]


def _page(connection: Connection, name: str, after: int) -> list[tuple[int, bytes]]:
    sql = f"SELECT id, body FROM {name} WHERE id > {after:d} ORDER BY id LIMIT {PAGE_ROWS}"  # noqa: S608 - our own names
    return [(row[0], row[1]) for row in connection.exec_driver_sql(sql)]


def _forget(tx: Transaction, rows: list[tuple[int, bytes]]) -> None:
    for row_id, body in rows:
        forget_row(tx, row_id, body)
