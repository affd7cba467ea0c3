"""What is forgotten of activity after its time, a piece at a time; on PostgreSQL the event store by whole months."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from sqlalchemy import Connection

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.partitions import Months, Partition, dropped, old_months
from risk_scorer.adapters.activity.answers import forget_answers
from risk_scorer.adapters.activity.event_rows import prune_events, prune_risks
from risk_scorer.adapters.activity.known_sessions import prune_sessions
from risk_scorer.adapters.activity.memory_rows import prune_memories
from risk_scorer.adapters.activity.task_rows import prune_tasks

MONTHS: Final = Months("activity_events", "ts")
PAGE_ROWS: Final = 2000
DAY_SECONDS: Final = 86_400.0
TASK_DAYS: Final = 1.0
TRACE_DAYS: Final = 1.0
SESSION_DAYS: Final = 35.0
"""Longer than the thirty days that a session of the gateway may live."""

Piece = Callable[[Transaction, float], int]


class Forgetting:
    """Prunes one kind of row. What `piece` deletes at a time is little, so that the writer is never held for long."""

    def __init__(self, database: Database, piece: Piece) -> None:
        self._database = database
        self._piece = piece

    async def prune(self, before: float) -> int:
        """Forget what is older than that time; how much went. Raises: Refused."""
        total = 0
        while gone := await self._database.write(lambda tx: self._piece(tx, before)):
            total += gone
        return total


class ActivityMonths:
    """Prunes the event store where it is kept by months, one process at a time."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def prune(self, before: float) -> int:
        """Drop the months that lie before that time, and make those to come; how many went. Raises: Refused."""
        return await asyncio.to_thread(self._prune, before)

    def _prune(self, before: float) -> int:
        engine, gone = self._database.engine, 0
        for month in old_months(engine, MONTHS, now=self._clock.now(), before=before):
            self._forget_answers(month)
            gone += dropped(engine, MONTHS, month)
        return gone

    def _forget_answers(self, month: Partition) -> None:
        """The answers of its events go first, bit by bit: nobody writes to a month that is over."""
        after = 0
        while True:
            with self._database.engine.connect() as connection:
                rows = _page(connection, month.name, after)
            if not rows:
                return
            self._database.write_sync(partial(forget_answers, events=[(row[1], row[2]) for row in rows]))
            after = rows[-1][0]


def _page(connection: Connection, name: str, after: int) -> list[tuple[int, str, str]]:
    sql = f"SELECT id, user_id, event_id FROM {name} WHERE id > {after:d} ORDER BY id LIMIT {PAGE_ROWS}"  # noqa: S608
    return [(row[0], row[1], row[2]) for row in connection.exec_driver_sql(sql)]


def forgetting(
    database: Database, *, clock: Clock, is_shared: bool, activity_days: float, memory_days: float
) -> list[tuple[Forgetting | ActivityMonths, float]]:
    """Everything of activity that is forgotten, with how many seconds old it gets."""
    events = ActivityMonths(database, clock=clock) if is_shared else Forgetting(database, prune_events)
    kept: list[tuple[Forgetting | ActivityMonths, float]] = [(events, activity_days * DAY_SECONDS)]
    pieces: list[tuple[Piece, float]] = [
        (prune_risks, activity_days),
        (prune_sessions, max(activity_days, SESSION_DAYS)),
        (prune_tasks, TASK_DAYS),
        *((partial(_of_scope, scope), memory_days) for scope in ("person", "peers", "service", "world")),
        (partial(_of_scope, "session"), SESSION_DAYS),
        (partial(_of_scope, "trace"), TRACE_DAYS),
    ]
    return kept + [(Forgetting(database, piece), days * DAY_SECONDS) for piece, days in pieces]


def _of_scope(scope: str, tx: Transaction, before: float) -> int:
    return prune_memories(tx, scope, before)
