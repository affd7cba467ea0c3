"""Sessions by their risk, from either database, each page within a bounded number of rows however many there are."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Select, bindparam, select, text, tuple_

from plumbing.clock import Clock
from plumbing.database import Database, Transaction
from plumbing.statements import Row, Statement, Value
from risk_scorer.adapters.activity.known_sessions import session_of
from risk_scorer.adapters.tables import activity_events, known_sessions, session_risk
from risk_scorer.contract.activity import Signal
from risk_scorer.core.console.session_lines import SeenEvent, SessionFilter, SessionLine, SessionPage, SessionPlace

MOST_WALKED: Final = 2_000
"""Rows that are looked at for one page: each leads to a session anywhere in its table."""
FIRST_WALK: Final = 200
"""Those that are looked at first: most of them may be asked for."""
MOST_EVENTS_WALKED: Final = 2_000
FIRST: Final = SessionPlace(1e9, "")

_risk, _known, _event = session_risk.c, known_sessions.c, activity_events.c
_RISKY: Final = text("session_risk.score > 0")
_COLUMNS: Final = (
    _risk.session_id, _risk.user_id, _risk.score, _risk.peak, _risk.events, _risk.told, _risk.started_at,
    _risk.updated_at,
)  # fmt: skip
_HEARD: Final = (
    _known.session_id, _known.user_id, _known.client_id, _known.state, _known.facts, _known.started_at,
    _known.changed_at, _known.ended_at,
)  # fmt: skip
_AFTER: Final = tuple_(_risk.score, _risk.session_id) < tuple_(bindparam("score"), bindparam("session_id"))
"""One comparison: of many sessions with one score an index leads to the place among them."""


def _lines(walk: Select[Any]) -> Statement:
    """The walked sessions in their order, each with what the gateway told of it."""
    found = walk.subquery("found")
    return Statement(
        select(found, *_HEARD)
        .join_from(found, known_sessions, _known.session_id == found.c.session_id, isouter=True)
        .order_by(found.c.score.desc(), found.c.session_id.desc())
    )


BY_RISK = _lines(
    select(*_COLUMNS)
    .where(_RISKY, _AFTER, _risk.score >= bindparam("least"))
    .order_by(_risk.score.desc(), _risk.session_id.desc())
    .limit(bindparam("most_walked"))
)
_NEWEST_OF_USER = (
    select(*_COLUMNS).where(_risk.user_id == bindparam("of_user")).order_by(_risk.updated_at.desc()).limit(MOST_WALKED)
)
OF_USER = _lines(_NEWEST_OF_USER)
ONE = _lines(select(*_COLUMNS).where(_risk.session_id == bindparam("of_id")))
FOUND = Statement(select(_risk.signals).where(_risk.session_id == bindparam("of_id")))
KNOWN = Statement(select(*_HEARD).where(_known.session_id == bindparam("of_id")))
_WALKED_EVENTS = (
    select(activity_events)
    .where(_event.user_id == bindparam("of_user"), _event.ts >= bindparam("since"), _event.ts <= bindparam("until"))
    .order_by(_event.ts.desc())
    .limit(MOST_EVENTS_WALKED)
    .subquery("walked")
)
_w = _WALKED_EVENTS.c
EVENTS = Statement(
    select(
        _w.ts, _w.method, _w.endpoint, _w.service, _w.status, _w.ip, _w.country, _w.device_id, _w.browser, _w.score
    )
    .where(_w.session_id == bindparam("of_session"))
    .order_by(_w.ts.desc())
    .limit(bindparam("up_to"))
)  # fmt: skip


_signals: Final = msgspec.json.Decoder(tuple[Signal, ...])


class SessionRows:
    """Reads them, beside the event loop."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def page(self, wanted: SessionFilter, after: SessionPlace | None, limit: int) -> SessionPage:
        """The riskiest after that place. Raises: Refused."""
        return await self._database.read_in_thread(lambda tx: self._page(tx, wanted, after or FIRST, limit))

    async def one(self, session_id: str) -> SessionLine | None:
        """One of them, None of which nothing is kept. Raises: Refused."""

        def job(tx: Transaction) -> SessionLine | None:
            row = tx.one(ONE, of_id=session_id)
            if row is not None:
                return self._line(row)
            heard = tx.one(KNOWN, of_id=session_id)
            return None if heard is None else self._quiet(heard)

        return await self._database.read_in_thread(job)

    async def found(self, session_id: str) -> tuple[Signal, ...]:
        """What spoke against it after its last event, as it was told then. Raises: Refused."""
        row = await self._database.read_in_thread(lambda tx: tx.one(FOUND, of_id=session_id))
        return () if row is None else _signals.decode(row[0])

    async def events(self, line: SessionLine, limit: int) -> list[SeenEvent]:
        """Its latest events, as far as they are among the latest of its person. Raises: Refused."""
        asked: dict[str, Value] = {
            "of_user": line.user_id,
            "of_session": line.session_id,
            "since": line.started_at - 1.0,
            "until": self._clock.now() + 60.0,
            "up_to": limit,
        }
        rows = await self._database.read_in_thread(lambda tx: tx.all(EVENTS, **asked))
        names = SeenEvent.__struct_fields__
        return [SeenEvent(**dict(zip(names, row, strict=True))) for row in rows]

    def _page(self, tx: Transaction, wanted: SessionFilter, after: SessionPlace, limit: int) -> SessionPage:
        """Those that are asked for among as few of the riskiest as will do."""
        if wanted.user:
            return _cut(self._of_user(tx, wanted, after), wanted, limit, is_whole=True)
        least, most = wanted.scores
        score, session_id = min((after.score, after.session_id), (most, ""))
        asked: dict[str, Value] = {"score": score, "session_id": session_id, "least": least}
        page = SessionPage(lines=(), next=None)
        for walked in (limit + 1,) if wanted.is_open is None else (FIRST_WALK, MOST_WALKED):
            lines = [self._line(row) for row in tx.all(BY_RISK, most_walked=walked, **asked)]
            page = _cut(lines, wanted, limit, is_whole=len(lines) < walked)
            if len(page.lines) == limit or page.next is None:
                break
        return page

    def _of_user(self, tx: Transaction, wanted: SessionFilter, after: SessionPlace) -> list[SessionLine]:
        least, most = wanted.scores
        place = (after.score, after.session_id)
        lines = [self._line(row) for row in tx.all(OF_USER, of_user=wanted.user)]
        asked = [each for each in lines if least <= each.score < most and (each.score, each.session_id) < place]
        return sorted(asked, key=lambda each: (each.score, each.session_id), reverse=True)

    def _line(self, row: Row) -> SessionLine:
        known = None if row[len(_COLUMNS)] is None else session_of(row[len(_COLUMNS) :]).as_of(self._clock.now())
        session_id, user_id, score, peak, events, told, started_at, updated_at = row[: len(_COLUMNS)]
        return SessionLine(
            session_id=session_id,
            user_id=user_id,
            score=score,
            peak=peak,
            events=events,
            told=told,
            started_at=started_at or (known.started_at if known else 0.0),
            updated_at=updated_at,
            client_id=known.client_id if known else "",
            state=known.state if known else "unheard",
            ended_at=known.ended_at if known else None,
        )

    def _quiet(self, row: Row) -> SessionLine:
        """One that was never at any risk."""
        known = session_of(row).as_of(self._clock.now())
        return SessionLine(
            session_id=known.session_id,
            user_id=known.user_id,
            score=0.0,
            peak=0.0,
            events=0,
            told=0,
            started_at=known.started_at,
            updated_at=known.changed_at,
            client_id=known.client_id,
            state=known.state,
            ended_at=known.ended_at,
        )


def _cut(lines: list[SessionLine], wanted: SessionFilter, limit: int, *, is_whole: bool) -> SessionPage:
    """The page of those that are asked for; the next goes on after it, or after all that was looked at."""
    shown = [line for line in lines if wanted.is_open in (None, line.ended_at is None)]
    last = shown[limit - 1] if len(shown) > limit else None if is_whole else lines[-1]
    following = None if last is None else SessionPlace(last.score, last.session_id)
    return SessionPage(lines=tuple(shown[:limit]), next=following)
