"""`/dashboard/drift`: does the model still fit those who log in?"""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.api.drift import DriftRoutes
from risk_scorer.api.drift_words import told


class DriftPage:
    """What the last look found, in words."""

    def __init__(self, *, desk: Desk, drift: DriftRoutes, model_version: Callable[[], str | None]) -> None:
        self._desk = desk
        self._drift = drift
        self._model_version = model_version

    async def page(self, request: Request) -> Response:
        """The last look."""
        found = await self._drift.found()
        shown = None if found is None else told(found)
        return await self._desk.page("console/drift.html", request, told=shown, model_version=self._model_version())

    def views(self) -> tuple[View, ...]:
        """Where it is."""
        return (View(name="drift", path="/dashboard/drift", title="Drift", endpoint=self.page, in_menu=True),)
