"""`/dashboard/narrative`: one login in a language model's words. They are a stranger's text: escaped like any other."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from plumbing.refusals import Refused
from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.views import View
from risk_scorer.api.rows import row_of
from risk_scorer.core.console.visible import written_out
from risk_scorer.flows.narrate import NOTES, Narrate

PATH = "/dashboard/narrative"


class NarrativePage:
    """The facts of a login, and what was written from them."""

    def __init__(self, *, desk: Desk, narrate: Narrate) -> None:
        self._desk = desk
        self._narrate = narrate

    async def page(self, request: Request) -> Response:
        """One login explained. Raises: Refused."""
        if not self._narrate.is_on:
            raise Refused("narrator_off", f"{NOTES['narrator_off']}.", status=404)
        veil = self._desk.veil(request)
        scored = await self._narrate.find(request.query_params.get("event", ""))
        told = await self._narrate.tell(scored)
        reasons = [
            msgspec.structs.replace(reason, text=veil.text(written_out(reason.text))) for reason in scored.score.reasons
        ]
        return await self._desk.page(
            "console/narrative.html", request, row=row_of(scored, veil), reasons=reasons, told=told
        )

    def views(self) -> tuple[View, ...]:
        """Where it is."""
        return (View(name="narrative", path=PATH, title="One login explained", endpoint=self.page),)
