"""`/dashboard`: what matters in numbers, and the newest decisions, live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.figures import FigureViews
from risk_scorer.api.console.views import View
from risk_scorer.api.live import LiveFeed
from risk_scorer.api.rows import row_of
from risk_scorer.flows.ports import EventLog

MOST_ROWS: Final = 500
"""What a browser shows at ease; /recent has the rest."""


class Overview:
    """The console's first page, and its feed."""

    def __init__(
        self,
        *,
        desk: Desk,
        figures: FigureViews,
        log: EventLog,
        feed: LiveFeed,
        model_version: Callable[[], str | None],
        public_url: str,
        recent_max: int,
        has_narrator: bool,
    ) -> None:
        self._desk = desk
        self._figures = figures
        self._log = log
        self._feed = feed
        self._rows = min(recent_max, MOST_ROWS)
        self._shown: dict[str, Any] = {
            "row_limit": self._rows,
            "public_url": public_url,
            "has_narrator": has_narrator,
        }
        self._model_version = model_version

    async def page(self, request: Request) -> Response:
        """What matters in numbers, and the newest decisions. Raises: Refused."""
        veil = self._desk.veil(request)
        rows = [row_of(scored, veil) for scored in self._log.recent(self._rows)]
        return await self._desk.page(
            "console/overview.html",
            request,
            rows=rows,
            model_version=self._model_version(),
            **await self._figures.values(),
            **self._shown,
        )

    async def events(self, request: Request) -> Response:
        """Each decision as it is made."""
        veil = self._desk.veil(request)
        return StreamingResponse(
            self._feed.stream(lambda: self._desk.is_signed_in(request), veil),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    def views(self) -> tuple[View, ...]:
        """Where they are."""
        return (
            View(name="overview", path="/dashboard", title="Overview", endpoint=self.page, in_menu=True),
            View(name="events", path="/dashboard/events", title="Live decisions", endpoint=self.events, kind="feed"),
        )
