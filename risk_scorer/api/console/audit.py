"""`/dashboard/audit`: who did what at the console, why, and what became of it."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from plumbing.refusals import Refused
from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.core.console.addresses import address
from risk_scorer.flows.console.ports import ActLog

PATH: Final = "/dashboard/audit"
PAGE_ROWS: Final = 100
LONGEST: Final = 256


class AuditPage:
    """The acts, the newest first."""

    def __init__(self, *, desk: Desk, acts: ActLog) -> None:
        self._desk = desk
        self._acts = acts

    async def page(self, request: Request) -> Response:
        """A page of them, of one subject or operator where asked. Raises: Refused."""
        query = request.query_params
        subject, operator = query.get("subject", "")[:LONGEST], query.get("operator", "")[:LONGEST]
        acts = await self._acts.page(
            before=_place(query.get("before", "")), subject=subject, operator=operator, limit=PAGE_ROWS + 1
        )
        shown, older = acts[:PAGE_ROWS], ""
        if len(acts) > PAGE_ROWS:
            older = address(PATH, subject=subject, operator=operator, before=shown[-1].id)
        return await self._desk.page(
            "console/audit.html", request, acts=shown, subject=subject, by=operator, older=older
        )

    def views(self) -> tuple[View, ...]:
        """Where it is."""
        return (View(name="audit", path=PATH, title="Audit", endpoint=self.page, role="analyst", in_menu=True),)


def _place(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Refused("invalid_filter", "before must be a place that a page gave", status=422)
    return int(text)
