"""What was scored: a log on disk and its newest part in memory.

A score that nobody is told of is posted: it is written within moments, and a crash, or a database that another process
holds, may lose the newest. Scoring goes on (fails open): the answer itself is not lost. A score that is announced is
written together with its announcement in one durable transaction before anybody gets the answer (fails closed): what
was answered as high risk is announced, whatever dies next.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice

import msgspec
import structlog
from sqlalchemy import bindparam, delete, insert, select

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.tables import outbox as outbox_rows
from risk_scorer.adapters.tables import scored_events
from risk_scorer.flows.ports import Announcement, ScoredEvent
from webhooks.outbox import Outbox

PRUNE_ROWS = 2000
"""Rows that one transaction prunes, so that the writer is never held for long."""

APPEND = Statement(
    insert(scored_events).values(
        event_id=bindparam("event_id"),
        ts_scored=bindparam("ts_scored"),
        risk_score=bindparam("risk_score"),
        body=bindparam("body"),
    )
)
NEWEST = Statement(select(scored_events.c.body).order_by(scored_events.c.id.desc()).limit(bindparam("up_to")))
_OLDEST = select(scored_events.c.id).order_by(scored_events.c.id).limit(bindparam("up_to"))
PRUNE = Statement(
    delete(scored_events).where(scored_events.c.id.in_(_OLDEST), scored_events.c.ts_scored < bindparam("before"))
)

log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(ScoredEvent)
Listener = Callable[[Sequence[ScoredEvent]], None]


class EventLog:
    """The log, its newest `recent_max` events, and who wants to hear of new ones. Use it from the event loop."""

    def __init__(
        self,
        database: Database,
        *,
        recent_max: int,
        clock: Clock,
        announce_to: str | None,
        wake_delivery: Callable[[], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._announce_to = announce_to
        self._wake_delivery = wake_delivery
        self._outbox = Outbox(outbox_rows)
        self._recent: deque[ScoredEvent] = deque(maxlen=recent_max)
        self._listeners: list[Listener] = []

    def fill(self) -> None:
        """Take the newest events of the log into memory, for the first moments after a start."""
        rows = self._database.read(lambda tx: tx.all(NEWEST, up_to=self._recent.maxlen))
        for row in reversed(rows):
            try:
                self._recent.append(_decoder.decode(row[0]))
            except msgspec.MsgspecError:
                log.warning("scored_event_unreadable")  # written by another version; it only misses from the list

    def listen(self, listener: Listener) -> None:
        """Tell this one of every new event, on the event loop."""
        self._listeners.append(listener)

    def recent(self, limit: int) -> list[ScoredEvent]:
        """The newest events, newest first."""
        return list(islice(reversed(self._recent), limit))

    def record(self, scored: Sequence[ScoredEvent]) -> None:
        """Append to the log soon; never waits and never fails."""
        self._database.post(lambda tx: _append(tx, scored))
        self._show(scored)

    async def record_and_announce(self, scored: Sequence[ScoredEvent], announcements: Sequence[Announcement]) -> None:
        """Append to the log together with what is to be announced; durable when it returns. Raises: Refused."""
        endpoint = self._announce_to
        now = self._clock.now()

        def job(tx: Transaction) -> None:
            _append(tx, scored)
            if endpoint is not None:
                for each in announcements:
                    self._announce(tx, each, endpoint, now)

        await self._database.write(job)
        self._wake_delivery()
        self._show(scored)

    def _announce(self, tx: Transaction, each: Announcement, endpoint: str, now: float) -> None:
        # The same event may be scored again; it was announced before, and once is once.
        with suppress(sqlite3.IntegrityError):
            self._outbox.add(
                tx, message_id=each.message_id, endpoint=endpoint, event_type=each.event_type, body=each.body, now=now
            )

    def _show(self, scored: Sequence[ScoredEvent]) -> None:
        self._recent.extend(scored)
        for listener in self._listeners:
            listener(scored)

    async def prune(self, before: float) -> int:
        """Drop events scored before that time; how many went."""
        total = 0
        while True:
            gone = await self._database.write(lambda tx: tx.run(PRUNE, up_to=PRUNE_ROWS, before=before))
            total += gone
            if gone < PRUNE_ROWS:
                return total


def _append(tx: Transaction, scored: Sequence[ScoredEvent]) -> None:
    if len(scored) == 1:
        tx.run(APPEND, **_row(scored[0]))
    else:
        tx.many(APPEND, [_row(each) for each in scored])


def _row(each: ScoredEvent) -> dict[str, str | float | bytes]:
    score = each.score
    return {
        "event_id": score.event_id,
        "ts_scored": score.ts_scored,
        "risk_score": score.risk_score,
        "body": _encode(each),
    }
