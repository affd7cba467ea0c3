"""What the overview reads: a few questions, each within a bounded number of rows along one index, in one view."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnClause,
    TextClause,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.sql.expression import ColumnElement

from plumbing.database import Database, Transaction
from plumbing.statements import Statement
from risk_scorer.adapters.console.sign_in_mark import behind_since
from risk_scorer.adapters.console.tables import DECIDED, ENDED, JUDGED, RISKY
from risk_scorer.adapters.tables import campaigns, incidents, session_risk, sign_ins, verdict_words
from risk_scorer.core.console.attention import Waiting
from risk_scorer.core.console.overview_read import DAY_SECONDS, HOUR_SECONDS, WEEK_SECONDS, Read, RiskySignIn
from risk_scorer.core.console.world import Came
from risk_scorer.core.reasons import BASELINE

MOST_A_MINUTE: Final = 10_000
"""Moments, counted in their index alone: 166 a second, an hour of which takes 80 ms of the processor."""
MOST_WALKED: Final = 10_000
"""Newest sign-ins, which lie beside each other: people prompted, and places. They take 55 ms of the processor."""
MOST_RARE: Final = 5_000
"""Of refusals, of risky ones and of judged ones, which lie anywhere."""
MOST_SECONDS: Final = 5.0
"""No page waits for it but the first of a process, if it comes within a second of its begin."""
MINUTE_SECONDS: Final = 60.0

RISKY_SESSION: Final = text("session_risk.score >= 60")
"""As the index has it that serves."""

_r = sign_ins.c
_TIMES = (
    select(_r.ts)
    .where(_r.ts >= bindparam("since"), _r.ts < bindparam("until"))
    .limit(literal_column(str(MOST_A_MINUTE)))
    .subquery()
)
# Minute by minute: so nothing has to be sorted into them.
MINUTE = Statement(select(func.count()).select_from(_TIMES))


def _text(value: str) -> ColumnClause[Any]:
    """A word of ours, which stands in the statement itself, so that an index over some words can serve."""
    return literal_column(f"'{value}'")


_IS_SAFE = _r.verdict == _text("confirmed_safe")
_SINCE = _r.ts >= bindparam("since")
_RARE_LIMIT: ColumnClause[Any] = literal_column(str(MOST_RARE))


def _counted(*terms: ColumnElement[bool] | TextClause) -> Statement:
    walked = select(_r.ts).where(_SINCE, *terms).order_by(_r.ts.desc()).limit(_RARE_LIMIT).subquery()
    return Statement(select(func.count()).select_from(walked))


DENIED = _counted(DECIDED, _r.decision == _text("deny"), ~_IS_SAFE)
NOT_SHOWN = _counted(ENDED, _r.outcome == _text("mfa_failed"), _r.decision != _text("deny"), ~_IS_SAFE)

_WALKED = (
    select(_r.ts, _r.kind, _r.decision, _r.factor, _r.outcome, _r.verdict, _r.country, _r.region, _r.city, _r.ip)
    .where(_SINCE)
    .order_by(_r.ts.desc())
    .limit(literal_column(str(MOST_WALKED)))
    .subquery()
    .c
)
_IS_PERSON = and_(
    _WALKED.kind == _text("login"),
    _WALKED.decision != _text("deny"),
    _WALKED.outcome != _text("mfa_failed"),
    _WALKED.outcome != _text("failure"),
    _WALKED.verdict != _text("confirmed_compromised"),
)
_WAS_PROMPTED = or_(_WALKED.decision == _text("challenge"), _WALKED.factor != _text(""))


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


WALK = Statement(
    select(
        _WALKED.country, _WALKED.region, _WALKED.city, func.count(), _how_many(_WALKED.decision == _text("deny")),
        _how_many(_IS_PERSON), _how_many(and_(_IS_PERSON, _WAS_PROMPTED)), func.max(_WALKED.ip), func.min(_WALKED.ts),
    ).group_by(_WALKED.country, _WALKED.region, _WALKED.city)
)  # fmt: skip


def _risky(level: str) -> Statement:
    return Statement(
        select(_r.event_id, _r.user_id, _r.score, _r.reasons, _r.verdict, _r.ts)
        .where(_SINCE, RISKY, _r.level == _text(level))
        .order_by(_r.ts.desc())
        .limit(_RARE_LIMIT)
    )


RISKY_ONES: Final = (_risky("high"), _risky("medium"))


def _judged(verdict: str) -> Statement:
    said = select(func.min(verdict_words.c.recorded_at)).where(verdict_words.c.event_id == _r.event_id)
    return Statement(
        select(said.scalar_subquery() - _r.ts)
        .where(_SINCE, JUDGED, _r.verdict == _text(verdict))
        .order_by(_r.ts.desc())
        .limit(_RARE_LIMIT)
    )


JUDGED_ONES: Final = tuple(_judged(each) for each in ("confirmed_safe", "confirmed_compromised", "dismissed"))
_s = session_risk.c
SESSIONS = Statement(
    select(_s.signals).where(_s.updated_at >= bindparam("since"), RISKY_SESSION)
    .order_by(_s.updated_at.desc()).limit(_RARE_LIMIT)
)  # fmt: skip
_i = incidents.c
_UNTAKEN = (_i.state == _text("open"), _i.owner == _text(""))
CLOSED = Statement(
    select(_i.updated_at - _i.opened_at).where(_i.state == _text("closed"), _i.updated_at >= bindparam("since"))
    .order_by(_i.updated_at.desc()).limit(_RARE_LIMIT)
)  # fmt: skip
UNTAKEN = Statement(select(func.count()).where(*_UNTAKEN))
OLDEST = Statement(select(_i.incident_id, _i.opened_at).where(*_UNTAKEN).order_by(_i.opened_at).limit(1))
CAMPAIGNS = Statement(select(func.count()).select_from(campaigns).where(campaigns.c.state == _text("open")))


class _Signal(msgspec.Struct):
    code: str
    points: float


_signals = msgspec.json.Decoder(list[_Signal])


class FigureRows:
    """Reads them beside the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, now: float) -> Read:
        """Everything, as of one moment. Raises: Refused."""

        def job(tx: Transaction) -> Read:
            with tx.within(MOST_SECONDS):
                return _read(tx, now)

        return await self._database.read_in_thread(job)


def _read(tx: Transaction, now: float) -> Read:
    day, week = now - DAY_SECONDS, now - WEEK_SECONDS
    walked = tx.all(WALK, since=day)
    risky = [row for statement in RISKY_ONES for row in tx.all(statement, since=day)]
    judged = [row[0] for statement in JUDGED_ONES for row in tx.all(statement, since=week)]
    denied, not_shown = (tx.all(each, since=day)[0][0] for each in (DENIED, NOT_SHOWN))
    return Read(
        minutes=_minutes(tx, now),
        denied=int(denied),
        not_shown=int(not_shown),
        is_more=max(denied, not_shown) >= MOST_RARE,
        walked=sum(int(row[3]) for row in walked),
        walked_since=min((float(row[8]) for row in walked), default=day),
        is_walk_whole=sum(int(row[3]) for row in walked) < MOST_WALKED,
        people=sum(int(row[5]) for row in walked),
        prompted=sum(int(row[6]) for row in walked),
        places=tuple(
            (Came(country=row[0], region=row[1], city=row[2], count=row[3], denied=row[4], where=None), row[7])
            for row in walked
        ),
        risky=tuple(RiskySignIn(*row) for row in risky),
        sessions=tuple(_held(row[0]) for row in tx.all(SESSIONS, since=day)),
        verdict_seconds=tuple(max(0.0, took) for took in judged if took is not None),
        close_seconds=tuple(float(row[0]) for row in tx.all(CLOSED, since=week)),
        waiting=_waiting(tx),
        campaigns=int(tx.all(CAMPAIGNS)[0][0]),
        behind_since=behind_since(tx),
    )


def _held(signals: bytes) -> str:
    return " ".join(each.code for each in _signals.decode(signals) if each.points > 0.0 and each.code != BASELINE)


def _minutes(tx: Transaction, now: float) -> dict[int, int]:
    """How many there were in each minute of the last hour that had any, by its number since 1970."""
    first, last, found = int((now - HOUR_SECONDS) // MINUTE_SECONDS), int(now // MINUTE_SECONDS), dict[int, int]()
    for minute in range(first, last + 1):
        since = max(minute * MINUTE_SECONDS, now - HOUR_SECONDS)
        found[minute] = int(tx.all(MINUTE, since=since, until=(minute + 1) * MINUTE_SECONDS)[0][0])
    return {minute: count for minute, count in found.items() if count}


def _waiting(tx: Transaction) -> Waiting | None:
    oldest = tx.one(OLDEST)
    if oldest is None:
        return None
    return Waiting(count=int(tx.all(UNTAKEN)[0][0]), incident_id=oldest[0], opened_at=oldest[1])
