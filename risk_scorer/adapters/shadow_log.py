"""What shadows made of logins, on disk: written within moments, read when somebody compares, forgotten with the log.

Nobody waits for a write and a crash may lose the newest: fails open, for nothing depends on it. A login is kept once
for each version, as it was scored first.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

import msgspec
import structlog
from sqlalchemy import bindparam, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from plumbing.database import Database, Transaction
from plumbing.statements import Row, Statement, Value
from risk_scorer.adapters.tables import shadow_scores
from risk_scorer.contract.assessment import RiskLevel, risk_level
from risk_scorer.contract.shadow import ShadowScore

MOST_WAITING: Final = 20_000
"""Scores that may wait for the disk; while it does not take them, newer ones are dropped and counted."""
PRUNE_ROWS: Final = 2000
PAGE_ROWS: Final = 5000
EVERYTHING: Final = 2**62

_COLUMNS: Final = ("event_id", "user_id", "success", "ts_scored", "active_version", "active_score", "version", "score")
KEEP = Statement(
    insert(shadow_scores)
    .values({name: bindparam(name) for name in (*_COLUMNS, "active_level", "level")})
    .on_conflict_do_nothing()
)
_OLD = (
    select(shadow_scores.c.version, shadow_scores.c.event_id)
    .where(shadow_scores.c.ts_scored < bindparam("before"))
    .limit(bindparam("up_to"))
)
PRUNE = Statement(delete(shadow_scores).where(tuple_(shadow_scores.c.version, shadow_scores.c.event_id).in_(_OLD)))
_READ = [shadow_scores.c[name] for name in _COLUMNS]
_OF_PAIR = (
    shadow_scores.c.version == bindparam("of_version"),
    shadow_scores.c.active_version == bindparam("beside"),
)
PAGE = Statement(
    select(*_READ)
    .where(*_OF_PAIR, shadow_scores.c.event_id > bindparam("after_id"))
    .order_by(shadow_scores.c.event_id)
    .limit(PAGE_ROWS)
)
_RECENT = shadow_scores.c.ts_scored >= bindparam("since")
_LEVELS = (shadow_scores.c.active_level, shadow_scores.c.level)
# Along their index alone.
_newest = (
    select(shadow_scores.c.event_id, shadow_scores.c.ts_scored, *_LEVELS)
    .where(*_OF_PAIR, _RECENT)
    .order_by(shadow_scores.c.ts_scored.desc())
    .limit(bindparam("most"))
    .subquery()
    .c
)
COUNTS = Statement(
    select(_newest.active_level, _newest.level, func.count()).group_by(_newest.active_level, _newest.level)
)
_differing = (
    select(_newest.event_id, _newest.ts_scored)
    .where(_newest.active_level != _newest.level)
    .order_by(_newest.ts_scored.desc())
    .limit(bindparam("up_to"))
    .subquery()
    .c
)
DIFFERING = Statement(
    select(*_READ)
    .where(*_OF_PAIR, shadow_scores.c.event_id == _differing.event_id)
    .order_by(_differing.ts_scored.desc())
)
PAIRS = Statement(
    select(
        shadow_scores.c.active_version,
        shadow_scores.c.version,
        func.count(),
        func.min(shadow_scores.c.ts_scored),
        func.max(shadow_scores.c.ts_scored),
    ).group_by(shadow_scores.c.active_version, shadow_scores.c.version)
)

log = structlog.get_logger(__name__)


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions that scored the same logins, how many, and when the first and the last of them."""

    active: str
    shadow: str
    logins: int
    first: float
    last: float


class ShadowLog:
    """Scores that wait for the disk, and the disk. `keep` and `forget_person` belong to the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[ShadowScore] = deque()
        self._taking = threading.Lock()
        self._is_posted = False
        self.dropped = 0

    def keep(self, scores: Sequence[ShadowScore]) -> None:
        """Keep these soon; never waits and never fails."""
        with self._taking:
            room = max(0, MOST_WAITING - len(self._waiting))
            self.dropped += max(0, len(scores) - room)
            self._waiting.extend(scores[:room])
            # A job that never ran was refused unheard; once nothing more finds room, another one is sent.
            if not self._waiting or (self._is_posted and room > len(scores)):
                return
            self._is_posted = True
        batch: list[ShadowScore] = []

        def job(tx: Transaction) -> None:
            # What was taken once is kept: the writer may run a job again after undoing it.
            batch.extend(self._taken())
            tx.many(KEEP, [_row(each) for each in batch])

        def undo() -> None:
            with self._taking:
                self._is_posted = False
                self.dropped += len(batch)

        self._database.post(job, undo)

    def forget_person(self, user_id: str) -> None:
        """Nothing of this person is written from here any more."""
        with self._taking:
            left = [each for each in self._waiting if each.user_id != user_id]
            self._waiting.clear()
            self._waiting.extend(left)

    def _taken(self) -> list[ShadowScore]:
        with self._taking:
            self._is_posted = False
            taken = list(self._waiting)
            self._waiting.clear()
        return taken

    async def prune(self, before: float) -> int:
        """Drop what was scored before that time; how much went. Raises: Refused."""
        total = 0
        while True:
            gone = await self._database.write(lambda tx: tx.run(PRUNE, before=before, up_to=PRUNE_ROWS))
            total += gone
            if gone < PRUNE_ROWS:
                return total

    async def counts(
        self, active: str, shadow: str, since: float, *, most: int = EVERYTHING
    ) -> dict[tuple[str, str], int]:
        """The newest logins since that time, so many at the most, by (the active model's level, the shadow's level).

        Raises: Refused.
        """
        rows = await self._database.read_in_thread(
            lambda tx: tx.all(COUNTS, of_version=shadow, beside=active, since=since, most=most)
        )
        return {(row[0], row[1]): row[2] for row in rows}

    async def differing(
        self, active: str, shadow: str, since: float, limit: int, *, most: int = EVERYTHING
    ) -> list[ShadowScore]:
        """The newest of these whose levels differ. Raises: Refused."""
        rows = await self._database.read_in_thread(
            lambda tx: tx.all(DIFFERING, of_version=shadow, beside=active, since=since, most=most, up_to=limit)
        )
        return [_score(row) for row in rows]


class Reads(Protocol):
    """A database that can be asked."""

    def all(self, statement: Statement, **values: Value) -> list[Row]:
        """All rows of the answer."""
        ...


def pairs_of(reading: Reads) -> list[Pair]:
    """Which versions scored the same logins."""
    rows = reading.all(PAIRS)
    return [Pair(active=row[0], shadow=row[1], logins=row[2], first=row[3], last=row[4]) for row in rows]


def scores_of_pair(reading: Reads, *, active: str, shadow: str) -> Iterator[ShadowScore]:
    """Every login that both scored, in the order of their ids, a page at a time."""
    after = ""
    while rows := reading.all(PAGE, of_version=shadow, beside=active, after_id=after):
        yield from map(_score, rows)
        after = rows[-1][0]


def _row(score: ShadowScore) -> dict[str, Any]:
    levels: dict[str, RiskLevel] = {"active_level": risk_level(score.active_score), "level": risk_level(score.score)}
    return {**msgspec.structs.asdict(score), **levels, "success": int(score.success)}


def _score(row: Any) -> ShadowScore:
    given = dict(zip(_COLUMNS, row, strict=True))
    return ShadowScore(**{**given, "success": bool(given["success"])})
