"""The newest decisions as a table that goes on by itself, on the first page; and the feed of every such table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from plumbing.refusals import Refused
from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.api.live import LiveFeed
from risk_scorer.core.console.addresses import address
from risk_scorer.core.console.sign_in import SignIn, sign_in_of
from risk_scorer.core.console.sign_in_filter import SignInFilter
from risk_scorer.core.console.sign_in_line import COLUMNS, line_of
from risk_scorer.core.console.veil import Veil
from risk_scorer.flows.console.sign_ins import SignIns
from risk_scorer.flows.ports import EventLog

FEED: Final = "/dashboard/events"
ROWS: Final = 100
"""What a browser shows at ease and a person has a chance to see; the sign-ins have the rest."""
ROWS_AT_FIRST: Final = 50
"""Rows that the page itself brings: with the figures it stays below 150 KB, whatever stands in them."""
SHOWN: Final = ("decision", "reasons", "device", "network", "place", "address")


class Newest:
    """The table, and the feed."""

    def __init__(self, *, desk: Desk, sign_ins: SignIns, log: EventLog, feed: LiveFeed) -> None:
        self._desk = desk
        self._sign_ins = sign_ins
        self._log = log
        self._feed = feed

    async def values(self, veil: Veil) -> dict[str, Any]:
        """What `console/newest.html` shows: the rows, and with them what this process scored a moment ago and is no
        row yet. Raises: Refused."""
        live_from = await self._feed.last()
        rows = (await self._sign_ins.page(SignInFilter(), limit=ROWS_AT_FIRST)).rows
        return {
            "lines": [line_of(row, veil) for row in _with_newer(rows, self._scored())],
            "columns": SHOWN,
            "all_columns": COLUMNS,
            "row_limit": ROWS,
            "feed": address(FEED, after=live_from),
        }

    async def events(self, request: Request) -> Response:
        """Rows as they come, of those that the query asks for, after the one that this browser has. Raises: Refused."""
        veil, query = self._desk.veil(request), request.query_params
        last = request.headers.get("last-event-id") or query.get("after", "")
        return StreamingResponse(
            self._feed.stream(
                lambda: self._desk.is_signed_in(request), veil, self._sign_ins.wanted(query), after=_number(last)
            ),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    def views(self) -> tuple[View, ...]:
        """Where the feed is."""
        return (View(name="events", path=FEED, title="Live decisions", endpoint=self.events, kind="feed"),)

    def _scored(self) -> list[SignIn]:
        return [sign_in_of(each.event, each.score) for each in self._log.recent(ROWS)]


def _with_newer(rows: Sequence[SignIn], scored: Sequence[SignIn]) -> list[SignIn]:
    """Both, each login once, the newest first."""
    known = {row.event_id for row in rows}
    found = [*rows, *{row.event_id: row for row in scored if row.event_id not in known}.values()]
    return sorted(found, key=lambda row: row.ts, reverse=True)[:ROWS]


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Refused("invalid_filter", "after must be a number that the feed gave", status=422)
    return int(text)
