"""The narrative of one scored login: as JSON for services and the dashboard's script, as a page for people.

What the model wrote is a stranger's text: the template escapes it and the script sets it as text.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import json_answer
from plumbing.lean import add_lean
from plumbing.refusals import Refused
from risk_scorer.api.access import Access
from risk_scorer.api.dashboard import notice, page
from risk_scorer.api.reference import operation, ref
from risk_scorer.api.rows import row_of, written_out
from risk_scorer.flows.narrate import NOTES, Narrate, answer_of

PATH: Final = "/events/{event_id:path}/narrative"
PAGE_PATH: Final = "/dashboard/narrative"

NARRATIVE: Final = operation(
    scope="read",
    parameters=[{"name": "event_id", "in": "path", "required": True, "schema": {"type": "string"}}],
    answers=ref("NarrativeAnswer"),
    refusals=("401", "403", "404", "429", "503"),
    description=(
        "A language model's words about a recent event, written on demand from redacted facts; `narrative` is null "
        "with a `reason` when there are none. No score depends on it. Open to a signed-in operator too."
    ),
)


class NarrativeRoutes:
    """The two faces of one narrative."""

    def __init__(self, *, access: Access, narrate: Narrate) -> None:
        self._access = access
        self._narrate = narrate

    async def answer(self, request: Request) -> Response:
        self._access.require_or_operator(request, "read")
        event_id = request.path_params["event_id"]
        if not self._narrate.is_on:
            return json_answer(answer_of(event_id, "narrator_off"))
        return json_answer(await self._narrate.tell(await self._narrate.find(event_id)))

    async def page(self, request: Request) -> Response:
        self._access.require_operator(request)
        if not self._narrate.is_on:
            return notice("No explanation", f"{NOTES['narrator_off']}.", status=404)
        try:
            scored = await self._narrate.find(request.query_params.get("event", ""))
            told = await self._narrate.tell(scored)
        except Refused as refused:
            return _no_page(refused)
        reasons = [msgspec.structs.replace(reason, text=written_out(reason.text)) for reason in scored.score.reasons]
        return page("narrative.html", row=row_of(scored), reasons=reasons, told=told)


def _no_page(refused: Refused) -> Response:
    answer = notice("No explanation now", refused.message, status=refused.status)
    if refused.retry_after_seconds is not None:
        answer.headers["retry-after"] = str(math.ceil(refused.retry_after_seconds))
    return answer


def add_narrative(app: FastAPI, routes: NarrativeRoutes) -> None:
    """Put them under their paths; the page is for people, so the API reference leaves it out."""
    add_lean(app, PATH, routes.answer, method="GET", summary="Tell why a login was scored so", operation=NARRATIVE)
    app.router.add_route(PAGE_PATH, routes.page, methods=["GET"], include_in_schema=False)
