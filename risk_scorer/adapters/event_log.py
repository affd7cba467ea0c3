"""What was scored: a log on disk and its newest part in memory.

A score that nobody is told of is posted: it is written within moments, and a crash may lose the newest. Scoring goes on
(fails open): the answer itself is not lost. A score that is announced is written together with its announcement in one
durable transaction before anybody gets the answer (fails closed): what was answered as high risk is announced, whatever
dies next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

import msgspec
import structlog
from sqlalchemy import bindparam, delete, insert, select

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.announcements import OUTBOX
from risk_scorer.adapters.console.sign_in_mark import step_back
from risk_scorer.adapters.event_places import forget_row, place, row_of
from risk_scorer.adapters.tables import scored_events
from risk_scorer.flows.ports import Announcement, ScoredEvent

PRUNE_ROWS = 500
"""Rows that one transaction prunes, so that the writer is never held for long."""
MAX_WAITING = 20_000
"""Events that may wait for the disk; while it does not take them, newer ones are dropped and counted."""
PATIENCE_SECONDS = 10.0
"""A job that has not run for so long was refused by the database; the next event sends another one."""

APPEND = Statement(
    insert(scored_events)
    .values(events=bindparam("events"), ts_scored=bindparam("ts_scored"), body=bindparam("body"))
    .returning(scored_events.c.id)
)
PAGE_ROWS = 50
SHARE_OF_ASKED = 10
"""Events that were only asked about get a tenth as many places among the recent ones as real ones."""
LAST_ID = 2**63 - 1
NEWEST = Statement(
    select(scored_events.c.id, scored_events.c.body)
    .where(scored_events.c.id < bindparam("before_id"))
    .order_by(scored_events.c.id.desc())
    .limit(PAGE_ROWS)
)
OLDEST = Statement(
    select(scored_events.c.id, scored_events.c.ts_scored, scored_events.c.body)
    .order_by(scored_events.c.id)
    .limit(bindparam("up_to"))
)
DROP = Statement(delete(scored_events).where(scored_events.c.id == bindparam("of_id")))

log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(list[ScoredEvent])


class EventLog:
    """The log, and its newest `recent_max` events. Use it from the event loop."""

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
        self._outbox = OUTBOX
        self._recent: deque[ScoredEvent] = deque(maxlen=recent_max)
        self._asked: deque[ScoredEvent] = deque(maxlen=max(1, recent_max // SHARE_OF_ASKED))
        self._waiting: deque[ScoredEvent] = deque()
        self._patience_ends = float("-inf")
        self.dropped = 0

    def fill(self) -> None:
        """Take the newest events of the log into memory, for the first moments after a start."""
        batches: list[list[ScoredEvent]] = []
        before_id = LAST_ID
        while sum(map(len, batches)) < (self._recent.maxlen or 0):
            rows = self._database.read(lambda tx, before_id=before_id: tx.all(NEWEST, before_id=before_id))  # type: ignore[misc]
            if not rows:
                break
            batches += [_events(row[1]) for row in rows]
            before_id = rows[-1][0]
        for batch in reversed(batches):
            self._recent.extend(batch)

    def recent(self, limit: int) -> list[ScoredEvent]:
        """The newest events, newest first."""
        if not self._asked:
            return list(islice(reversed(self._recent), limit))
        both = sorted([*self._recent, *self._asked], key=lambda each: each.score.ts_scored, reverse=True)
        return both[:limit]

    async def find(self, event_id: str) -> ScoredEvent | None:
        """The newest event of that id among the recent ones, or the first one of the log. Raises: Refused."""
        for each in self.recent(len(self._recent) + len(self._asked)):
            if each.score.event_id == event_id:
                return each
        [found] = await self.find_many([event_id])
        return found

    async def find_many(self, event_ids: Sequence[str]) -> list[ScoredEvent | None]:
        """The first logged event of each id, in the given order, None where there is none. Raises: Refused."""
        if not event_ids:
            return []
        job, undo = self._writing()
        try:
            await self._database.write(job)  # what was recorded a moment ago is in the log too
        except Exception:
            undo()
            raise
        return await self._database.read_in_thread(lambda tx: _found(tx, event_ids))

    def record(self, scored: Sequence[ScoredEvent]) -> None:
        """Append to the log soon; never waits and never fails."""
        if len(self._waiting) + len(scored) > MAX_WAITING:
            self.dropped += len(scored)
        else:
            self._waiting.extend(scored)
        now = self._clock.monotonic()
        if now >= self._patience_ends:
            self._patience_ends = now + PATIENCE_SECONDS
            self._database.post(*self._writing())
        self._show(scored)

    def _writing(self) -> tuple[Callable[[Transaction], None], Callable[[], None]]:
        """A job that writes whatever has come together by the time the writer gets to it, as one row; and what makes
        that wait again when the database did not take it.

        One row for many events, because a row costs ten times as much as an event in it.
        """
        batch: list[ScoredEvent] = []

        def job(tx: Transaction) -> None:
            # First this, then the taking: whoever adds an event after the taking finds that a new job is needed.
            self._patience_ends = float("-inf")
            # The writer may run a job again after undoing it, so what was taken once is kept.
            while self._waiting:
                batch.append(self._waiting.popleft())
            _append(tx, batch)

        def undo() -> None:
            while batch:
                self._waiting.appendleft(batch.pop())

        return job, undo

    async def record_and_announce(self, scored: Sequence[ScoredEvent], announcements: Sequence[Announcement]) -> None:
        """Append to the log together with what is to be announced; durable when it returns. Raises: Refused."""
        announce = self.announcing(announcements)

        def job(tx: Transaction) -> None:
            _append(tx, scored)
            announce(tx)

        await self._database.write(job)
        self.announced(scored)

    def announcing(self, announcements: Sequence[Announcement]) -> Callable[[Transaction], None]:
        """The part of a job that announces these; `announced` tells when the job is done."""
        endpoint = self._announce_to
        now = self._clock.now()

        def job(tx: Transaction) -> None:
            if endpoint is not None:
                for each in announcements:
                    self._announce(tx, each, endpoint, now)

        return job

    def announced(self, scored: Sequence[ScoredEvent]) -> None:
        """These are on the disk: they are sent, and shown among the recent ones."""
        self._wake_delivery()
        self._show(scored)

    def _announce(self, tx: Transaction, each: Announcement, endpoint: str, now: float) -> None:
        # The same event may be scored again; it was announced before, and once is once.
        self._outbox.add_once(
            tx, message_id=each.message_id, endpoint=endpoint, event_type=each.event_type, body=each.body, now=now
        )

    def forget_person(self, user_id: str) -> None:
        """Nothing of this person is told or written from here any more; what is in the log is not looked at."""
        for kept in (self._recent, self._asked, self._waiting):
            left = [each for each in kept if each.event.user_id != user_id]
            if len(left) < len(kept):
                kept.clear()
                kept.extend(left)

    @property
    def waiting(self) -> int:
        """How many events wait for the disk."""
        return len(self._waiting)

    @property
    def shown_at_most(self) -> int:
        """How many events that were only asked about `recent` can tell."""
        return self._asked.maxlen or 0

    @property
    def recent_at_most(self) -> int:
        """How many events `recent` can tell in all."""
        return self._recent.maxlen or 0

    def show(self, scored: Sequence[ScoredEvent]) -> None:
        """Put them among the recent ones, and nowhere else; they never push out what really happened."""
        self._asked.extend(scored)

    def _show(self, scored: Sequence[ScoredEvent]) -> None:
        self._recent.extend(scored)

    async def prune(self, before: float) -> int:
        """Drop events scored before that time; how many went."""
        total = 0
        while True:
            gone = await self._database.write(lambda tx: _pruned(tx, before))
            total += gone
            if gone < PRUNE_ROWS:
                return total


def _events(body: bytes) -> list[ScoredEvent]:
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError:
        log.warning("scored_events_unreadable")  # written by another version; they only miss from the list
        return []


def _append(tx: Transaction, scored: Sequence[ScoredEvent]) -> None:
    if scored:
        row_id = append_row(tx, len(scored), scored[-1].score.ts_scored, _encode(scored))
        place(tx, row_id, (each.score.event_id for each in scored))


def append_row(tx: Transaction, events: int, ts_scored: float, body: bytes) -> int:
    """One row of the log: so many events, the last of them scored then, as a JSON list of `ScoredEvent`."""
    [row] = tx.all(APPEND, events=events, ts_scored=ts_scored, body=body)
    return int(row[0])


def _found(tx: Transaction, event_ids: Sequence[str]) -> list[ScoredEvent | None]:
    rows: dict[int, dict[str, ScoredEvent]] = {}
    found = []
    for event_id in event_ids:
        row = row_of(tx, event_id)
        if row is not None and row[0] not in rows:
            rows[row[0]] = {each.score.event_id: each for each in reversed(_events(row[1]))}
        found.append(None if row is None else rows[row[0]].get(event_id))
    return found


def _pruned(tx: Transaction, before: float) -> int:
    """Drop the oldest rows as far as they are older than that; how many went."""
    old = [row for row in tx.all(OLDEST, up_to=PRUNE_ROWS) if row[1] < before]
    for row_id, _, body in old:
        forget_row(tx, row_id, body)
        tx.run(DROP, of_id=row_id)
    if old:
        step_back(tx)
    return len(old)
