"""The narrative of one scored login: as JSON for services and the dashboard's script, as a page for people.

What the model wrote is a stranger's text: the template escapes it and the script sets it as text.
"""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import json_answer
from plumbing.lean import add_lean
from risk_scorer.api.access import Access
from risk_scorer.api.reference import operation, ref
from risk_scorer.api.veiled import veiled
from risk_scorer.flows.narrate import Narrate, answer_of

PATH: Final = "/events/{event_id:path}/narrative"

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
    """A narrative for programs, and for the console's own script."""

    def __init__(self, *, access: Access, narrate: Narrate) -> None:
        self._access = access
        self._narrate = narrate

    @veiled
    async def answer(self, request: Request) -> Response:
        self._access.require_or_operator(request, "read")
        event_id = request.path_params["event_id"]
        if not self._narrate.is_on:
            return json_answer(answer_of(event_id, "narrator_off"))
        return json_answer(await self._narrate.tell(await self._narrate.find(event_id)))


def add_narrative(app: FastAPI, routes: NarrativeRoutes) -> None:
    """Put it under its path."""
    add_lean(app, PATH, routes.answer, method="GET", summary="Tell why a login was scored so", operation=NARRATIVE)
