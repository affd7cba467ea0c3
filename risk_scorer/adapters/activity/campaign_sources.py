"""Where campaign detection reads from: the log of scored logins, failed logins among the outcomes, the event store.

Read-only and by key, so that each row is read about once. Rows of several writers do not become visible in the order of
their keys: each look reads the newest ones again and leaves out those that it knows. Fails open: a row that cannot be
read is of another version and missing from the picture.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Final

import msgspec
import structlog
from sqlalchemy import bindparam, func, select, tuple_

from plumbing.database import Database
from plumbing.statements import Row, Statement
from risk_scorer.adapters.tables import activity_events, scored_events, seen_outcomes
from risk_scorer.contract.assessment import MEDIUM_FROM
from risk_scorer.core.campaigns.sighting import DETECTED, FAILED, NEW, Page, Sighting
from risk_scorer.core.lessons import decode_taught
from risk_scorer.core.observation import BadEvent, moment

ROWS_AGAIN: Final = 2000
"""Rows before the newest known one that are looked at again: more than writers have in hand at one time."""
SECONDS_AGAIN: Final = 30.0
LOG_ROWS: Final = 200
EVENT_ROWS: Final = 10_000
REFUSED: Final = frozenset({401, 403, 429})
"""Statuses that say no to who asks. 404 is a typing error as often as a probe; detectors judge it."""

_log = scored_events.c
LOG = Statement(
    select(_log.id, _log.body).where(_log.id > bindparam("after_id")).order_by(_log.id).limit(bindparam("up_to"))
)
LOG_AT = Statement(select(_log.id, _log.ts_scored).where(_log.id >= bindparam("from_id")).order_by(_log.id).limit(1))
LOG_ENDS = Statement(select(func.min(_log.id), func.max(_log.id)))
_event = activity_events.c
TAKEN = (
    _event.id, _event.user_id, _event.ts, _event.ip, _event.device_id, _event.ja4, _event.user_agent, _event.status,
    _event.score,
)  # fmt: skip
EVENTS = Statement(
    select(*TAKEN).where(_event.id > bindparam("after_id")).order_by(_event.id).limit(bindparam("up_to"))
)
EVENTS_FROM = Statement(select(func.min(_event.id)).where(_event.ts >= bindparam("since")))
_outcome = seen_outcomes.c
FAILURES = Statement(
    select(_outcome.seen_at, _outcome.event_id, _outcome.lesson)
    .where(
        _outcome.seen_at >= bindparam("from_time"),
        tuple_(_outcome.seen_at, _outcome.event_id) > tuple_(bindparam("after_time"), bindparam("after_id")),
        _outcome.lesson.is_not(None),
    )
    .order_by(_outcome.seen_at, _outcome.event_id)
    .limit(bindparam("up_to"))
)

log = structlog.get_logger(__name__)


class _Explain(msgspec.Struct, gc=False):
    known_logins: int = -1


class _Score(msgspec.Struct, gc=False):
    risk_score: float
    ts_scored: float
    explain: _Explain


class _Login(msgspec.Struct, gc=False):
    user_id: str
    ip: str
    timestamp: str | float | int | None = None
    user_agent: str = ""
    device_id: str = ""
    ja4: str | None = None
    success: bool = True
    kind: str = "login"


class _Scored(msgspec.Struct, gc=False):
    event: _Login
    score: _Score


_scored = msgspec.json.Decoder(list[_Scored])


class _Known:
    """Which of the rows that are looked at again were read before."""

    def __init__(self) -> None:
        self._now: set[Hashable] = set()
        self._before: set[Hashable] = set()

    def new(self, keys: Sequence[Hashable]) -> list[bool]:
        found = [key not in self._now and key not in self._before for key in keys]
        if len(self._now) > 4 * ROWS_AGAIN:
            self._now, self._before = set(), self._now
        self._now.update(keys)
        return found


class LoginLog:
    """Every scored login, each row of the log once. A refresh is made by a timer, and says nothing of its account."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.rewind(0.0)

    def rewind(self, since: float) -> None:
        """Read from that time on, anew. Raises: Refused."""
        self._known = _Known()
        self._after = self._newest = self._before(since) if since else 0

    def page(self) -> tuple[Page, bool]:
        """What comes next, and whether that is all for now. Raises: Refused."""
        rows = self._database.read(lambda tx: tx.all(LOG, after_id=self._after, up_to=LOG_ROWS))
        is_new = self._known.new([row[0] for row in rows])
        found = [each for row, new in zip(rows, is_new, strict=True) if new for each in _logins(row[1])]
        is_all = len(rows) < LOG_ROWS
        self._newest = max(self._newest, rows[-1][0] if rows else 0)
        self._after = max(0, self._newest - ROWS_AGAIN) if is_all else rows[-1][0]
        return found, is_all

    def _before(self, since: float) -> int:
        """A row before all that were scored since then: rows are about in the order of time, which halving finds."""
        low, high = self._database.read(lambda tx: tx.one(LOG_ENDS)) or (None, None)
        if low is None:
            return 0
        low -= 1
        while high - low > 1:
            middle = (low + high) // 2
            row = self._database.read(lambda tx, at=middle: tx.one(LOG_AT, from_id=at))  # type: ignore[misc]
            if row is not None and row[1] < since:
                low = max(middle, row[0])
            else:
                high = middle
        return max(0, int(low) - 1)


def _logins(body: bytes) -> Iterator[Sighting]:
    try:
        scored = _scored.decode(body)
    except msgspec.MsgspecError:
        log.warning("scored_events_unreadable")
        return
    for each in scored:
        login, score = each.event, each.score
        if login.kind == "refresh":
            continue
        marks = (
            (0 if login.success else FAILED)
            + (DETECTED if score.risk_score >= MEDIUM_FROM else 0)
            + (NEW if score.explain.known_logins == 0 else 0)
        )
        yield Sighting(
            login.user_id,
            _when(login.timestamp, score.ts_scored),
            login.ip,
            login.device_id,
            login.ja4 or "",
            login.user_agent,
            marks,
        )


def _when(reported: str | float | int | None, scored_at: float) -> float:
    """When it happened, never after it was scored."""
    try:
        return min(moment(reported, now=scored_at), scored_at)
    except BadEvent:
        return scored_at


class FailedLogins:
    """Failed passwords and second factors, which are reported and never scored."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.rewind(0.0)

    def rewind(self, since: float) -> None:
        """Read from that time on, anew."""
        self._known = _Known()
        self._after = (since, "")
        self._newest = since

    def page(self) -> tuple[Page, bool]:
        """What comes next, and whether that is all for now. Raises: Refused."""
        time, event_id = self._after
        rows = self._database.read(
            lambda tx: tx.all(FAILURES, from_time=time, after_time=time, after_id=event_id, up_to=EVENT_ROWS)
        )
        is_new = self._known.new([row[1] for row in rows])
        found = [each for row, new in zip(rows, is_new, strict=True) if new and (each := failure_in(row)) is not None]
        is_all = len(rows) < EVENT_ROWS
        self._newest = max(self._newest, rows[-1][0] if rows else 0.0)
        self._after = (max(0.0, self._newest - SECONDS_AGAIN), "") if is_all else (rows[-1][0], rows[-1][1])
        return found, is_all


def failure_in(row: Row) -> Sighting | None:
    """A failed login of a row of FAILURES; None for what was none, or cannot be read."""
    try:
        taught = decode_taught(row[2])
    except msgspec.MsgspecError:
        return None
    if taught.outcome not in ("failure", "mfa_failed"):
        return None  # what succeeded was scored, and stands in the log
    agent = f"{taught.browser} {taught.browser_version} {taught.os}".strip()
    return Sighting(taught.user_id, min(taught.ts, row[0]), taught.ip, taught.device_id, taught.ja4, agent, FAILED)


class ActivityEvents:
    """The event store: what is done within sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.rewind(0.0)

    def rewind(self, since: float) -> None:
        """Read from that time on, anew. Raises: Refused."""
        self._known = _Known()
        first = self._database.read(lambda tx: tx.one(EVENTS_FROM, since=since)) if since else None
        self._after = self._newest = max(0, int(first[0]) - 1) if first is not None and first[0] is not None else 0

    def page(self) -> tuple[Page, bool]:
        """What comes next, and whether that is all for now. Raises: Refused."""
        rows = self._database.read(lambda tx: tx.all(EVENTS, after_id=self._after, up_to=EVENT_ROWS))
        is_new = self._known.new([row[0] for row in rows])
        found = [done_in(row) for row, new in zip(rows, is_new, strict=True) if new]
        is_all = len(rows) < EVENT_ROWS
        self._newest = max(self._newest, rows[-1][0] if rows else 0)
        self._after = max(0, self._newest - ROWS_AGAIN) if is_all else rows[-1][0]
        return found, is_all


def done_in(row: Row) -> Sighting:
    """What was done, of a row of the columns TAKEN."""
    _, user, ts, ip, device, ja4, agent, status, score = row
    marks = (FAILED if status in REFUSED else 0) + (DETECTED if score >= MEDIUM_FROM else 0)
    return Sighting(user, ts, ip, device, ja4, agent, marks)
