"""Incidents for security teams: parse, ask, render."""

from __future__ import annotations

from typing import Final, get_args

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import json_answer
from plumbing.bodies import decode, read_body, refuse_unsafe_text, require_json
from plumbing.lean import add_lean
from plumbing.queries import each_once
from plumbing.refusals import Refused
from risk_scorer.api.access import Access
from risk_scorer.api.reference import Schema, operation
from risk_scorer.api.veiled import veiled
from risk_scorer.core.incidents.incident import IncidentChange, State
from risk_scorer.flows.incidents import LONGEST_PAGE, Incidents, unknown

MOST_BYTES: Final = 16 * 1024
LONGEST_TEXT: Final = 256
USUAL_PAGE: Final = 50
STATES: Final[tuple[State, ...]] = get_args(State)

_change = msgspec.json.Decoder(IncidentChange)


class IncidentRoutes:
    """What programs of security teams ask and do."""

    def __init__(self, *, access: Access, incidents: Incidents) -> None:
        self._access = access
        self._incidents = incidents

    @veiled
    async def page(self, request: Request) -> Response:
        """A page of incidents, and how many there are in each state."""
        self._access.require_or_operator(request, "read")
        owner, before = _text(request, "owner"), _text(request, "before") or ""
        limit, state = _limit(request), _state(request)
        found = await self._incidents.page(state=state, owner=owner, before=before, limit=limit)
        return json_answer({"incidents": found.incidents, "next": found.next, "counts": await self._incidents.counts()})

    @veiled
    async def one(self, request: Request) -> Response:
        """One of them."""
        self._access.require_or_operator(request, "read")
        return json_answer(await self._incidents.find(incident_id_of(request)))

    async def change(self, request: Request) -> Response:
        """It after the change. A signed-in operator needs a credential, too: a change has to say whose it is."""
        self._access.require(request, "feedback")
        require_json(request)
        body = decode(_change, await read_body(request, max_bytes=MOST_BYTES))
        return json_answer(await self._incidents.change(incident_id_of(request), body))


def add_incidents(app: FastAPI, routes: IncidentRoutes) -> None:
    """Put them under their paths."""
    one = "/incidents/{incident_id}"
    add_lean(app, "/incidents", routes.page, method="GET", summary="List incidents", operation=PAGE)
    add_lean(app, one, routes.one, method="GET", summary="Read an incident", operation=ONE)
    add_lean(app, one, routes.change, method="PATCH", summary="Change state or owner", operation=CHANGE)


def incident_id_of(request: Request) -> str:
    """The id in the path, if there can be an incident of it. Raises: Refused `unknown_incident` (404)."""
    text = str(request.path_params["incident_id"])
    if len(text) > LONGEST_TEXT or not (text.isascii() and text.isprintable()):
        raise unknown()
    return text


def _text(request: Request, name: str) -> str | None:
    text = each_once(request).get(name)
    if text is None:
        return None
    if len(text) > LONGEST_TEXT:
        raise _unsound(name, f"{name} must have at most {LONGEST_TEXT} characters.")
    return refuse_unsafe_text(text, f"query.{name}")


def _state(request: Request) -> State | None:
    given = each_once(request).get("state")
    if given is None:
        return None
    for state in STATES:
        if given == state:
            return state
    raise _unsound("state", f"state must be one of {', '.join(STATES)}.")


def _limit(request: Request) -> int:
    text = each_once(request).get("limit", str(USUAL_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= LONGEST_PAGE):
        raise _unsound("limit", f"limit must be a whole number from 1 to {LONGEST_PAGE}.")
    return int(text)


def _unsound(name: str, words: str) -> Refused:
    return Refused("invalid_request", words, status=422, evidence={"field": f"query.{name}"})


def _query(name: str, **schema: object) -> Schema:
    return {"name": name, "in": "query", "schema": {"type": "string", **schema}}


_ID: Final[Schema] = {"name": "incident_id", "in": "path", "required": True, "schema": {"type": "string"}}
_OBJECT: Final[Schema] = {"type": "object"}
PAGE: Final = operation(
    scope="read",
    parameters=[
        _query("state", enum=list(STATES)),
        _query("owner", maxLength=LONGEST_TEXT),
        _query("before", maxLength=LONGEST_TEXT),
        {
            "name": "limit",
            "in": "query",
            "schema": {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE, "default": USUAL_PAGE},
        },
    ],
    answers={
        "type": "object",
        "properties": {
            "incidents": {"type": "array", "items": _OBJECT},
            "next": {"type": ["string", "null"], "description": "`before` of the next page; null at the end."},
            "counts": {"type": "object", "description": "How many there are in each state."},
        },
    },
    refusals=("400", "401", "403", "422", "503"),
    description="The last changed first. Open to a signed-in operator too.",
)
ONE: Final = operation(
    scope="read",
    parameters=[_ID],
    answers=_OBJECT,
    refusals=("401", "403", "404", "503"),
    description="Evidence, timeline, members (the first thousand) and the recommended response.",
)
CHANGE: Final = operation(
    scope="feedback",
    parameters=[_ID],
    body={
        "type": "object",
        "required": ["by", "why"],
        "additionalProperties": False,
        "properties": {
            "by": {"type": "string", "minLength": 1, "maxLength": 256},
            "why": {"type": "string", "minLength": 1, "maxLength": 1024},
            "state": {"enum": list(STATES)},
            "owner": {"type": "string", "maxLength": 256},
            "version": {"type": "integer", "minimum": 1},
        },
    },
    example={"by": "soc/jane", "why": "the person was called", "state": "closed"},
    answers=_OBJECT,
    refusals=("400", "401", "403", "404", "409", "413", "415", "422", "503"),
    description=(
        "Who works on it, and how far that is; with `version` only if nobody changed it meanwhile (409"
        " `incident_changed`). A closed one stays closed (409 `incident_closed`): what is seen then opens another one."
    ),
)
