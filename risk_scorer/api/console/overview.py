"""`/dashboard`: what matters in numbers, and the newest decisions, live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.figures import FigureViews
from risk_scorer.api.console.newest import Newest
from risk_scorer.api.console.views import View


class Overview:
    """The console's first page."""

    def __init__(
        self,
        *,
        desk: Desk,
        figures: FigureViews,
        newest: Newest,
        model_version: Callable[[], str | None],
        public_url: str,
        has_narrator: bool,
    ) -> None:
        self._desk = desk
        self._figures = figures
        self._newest = newest
        self._shown: dict[str, Any] = {"public_url": public_url, "has_narrator": has_narrator}
        self._model_version = model_version

    async def page(self, request: Request) -> Response:
        """What matters in numbers, and the newest decisions. Raises: Refused."""
        return await self._desk.page(
            "console/overview.html",
            request,
            model_version=self._model_version(),
            **await self._newest.values(self._desk.veil(request)),
            **await self._figures.values(),
            **self._shown,
        )

    def views(self) -> tuple[View, ...]:
        """Where it is."""
        return (View(name="overview", path="/dashboard", title="Overview", endpoint=self.page, in_menu=True),)
