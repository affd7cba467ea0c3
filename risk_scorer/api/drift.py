"""What the last look at live logins found, for programs; `console/drift.py` shows it to people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import JSONAnswer
from plumbing.lean import add_lean
from plumbing.refusals import Refused
from risk_scorer.api.access import Access
from risk_scorer.api.reference import operation
from risk_scorer.core.drift_report import DriftReport, Looked

DRIFT: Final = operation(
    scope="read",
    answers={"type": "object", "properties": {"past": {"type": "array", "items": {"type": "string"}}}},
    refusals=("401", "403", "404", "503"),
    description=(
        "What the hourly look found about the logins that the model in use scored lately, against those that it was"
        " fitted on; `past` names what is past its mark."
    ),
)
_encode = msgspec.json.Encoder().encode


class DriftRoutes:
    """Reads what was last found, whoever looked."""

    def __init__(
        self,
        *,
        access: Access,
        latest: Callable[[], Awaitable[Looked | None]],
        model_version: Callable[[], str | None],
    ) -> None:
        self._access = access
        self._latest = latest
        self._model_version = model_version

    async def drift(self, request: Request) -> Response:
        self._access.require(request, "read")
        found = await self.found()
        if found is None:
            raise Refused("no_look_yet", "Nobody has looked at live logins of this model yet.", status=404)
        return JSONAnswer(_encode(found))

    async def found(self) -> DriftReport | None:
        """The last report; one of another model than the one in use is history."""
        looked = await self._latest()
        if looked is None or looked.report is None or looked.report.model_version != self._model_version():
            return None
        return looked.report


def add_drift(app: FastAPI, routes: DriftRoutes) -> None:
    """Put it under its path."""
    add_lean(app, "/drift", routes.drift, method="GET", summary="What the look for drift found", operation=DRIFT)
