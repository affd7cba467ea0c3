"""Campaigns for consoles: parse, ask the tables, render. Who looks for them is a process of its own."""

from __future__ import annotations

from typing import Final, Protocol

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import JSONAnswer
from plumbing.lean import add_lean
from plumbing.queries import each_once
from plumbing.refusals import Refused
from risk_scorer.api.access import Access
from risk_scorer.api.reference import Schema, operation
from risk_scorer.api.veiled import veiled
from risk_scorer.contract.campaigns import CampaignDetail, CampaignList

STATES: Final = ("open", "closed", "any")
MOST_LISTED: Final = 500
LISTED: Final = 50
LONGEST_PLACE: Final = 128

_encode = msgspec.json.Encoder().encode


class Campaigns(Protocol):
    """What is known of campaigns."""

    async def listed(self, *, state: str, limit: int, after: str) -> CampaignList | None:
        """Campaigns in that state ("" is any); None where the place to go on from is none. Raises: Refused."""
        ...

    async def detail(self, campaign_id: str) -> CampaignDetail | None:
        """One of them, None where there is none of that id. Raises: Refused."""
        ...


class CampaignRoutes:
    """Two answers: which campaigns there are, and one of them with its members and signals."""

    def __init__(self, access: Access, campaigns: Campaigns) -> None:
        self._access = access
        self._campaigns = campaigns

    @veiled
    async def campaigns(self, request: Request) -> Response:
        self._access.require_or_operator(request, "read")
        asked = each_once(request)
        state = asked.get("state", "any")
        if state not in STATES:
            raise _invalid("state", f"state must be one of {', '.join(STATES)}.")
        after, limit = asked.get("after", ""), limit_of(request)
        found = None
        if len(after) <= LONGEST_PLACE and "\0" not in after:
            found = await self._campaigns.listed(state="" if state == "any" else state, limit=limit, after=after)
        if found is None:
            raise _invalid("after", "after must be what an earlier answer gave as next.")
        return JSONAnswer(_encode(found))

    @veiled
    async def campaign(self, request: Request) -> Response:
        self._access.require_or_operator(request, "read")
        campaign_id = request.path_params["campaign_id"]
        found = None
        if len(campaign_id) <= LONGEST_PLACE and "\0" not in campaign_id:
            found = await self._campaigns.detail(campaign_id)
        if found is None:
            raise Refused("unknown_campaign", "There is no campaign of that id.", status=404)
        return JSONAnswer(_encode(found))


def add_campaigns(app: FastAPI, *, access: Access, campaigns: Campaigns) -> None:
    """Put both under their paths."""
    routes = CampaignRoutes(access, campaigns)
    add_lean(app, "/campaigns", routes.campaigns, method="GET", summary="List campaigns", operation=CAMPAIGNS)
    add_lean(
        app, "/campaigns/{campaign_id}", routes.campaign, method="GET", summary="Tell one campaign", operation=CAMPAIGN
    )


def limit_of(request: Request) -> int:
    """How many are asked for. Raises: Refused (422)."""
    text = each_once(request).get("limit", str(LISTED))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_LISTED):
        raise _invalid("limit", f"limit must be a whole number from 1 to {MOST_LISTED}.")
    return int(text)


def _invalid(name: str, text: str) -> Refused:
    return Refused("invalid_request", text, status=422, evidence={"field": f"query.{name}"})


def _query(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "schema": schema}


_OBJECTS: Final[Schema] = {"type": "array", "items": {"type": "object"}}
CAMPAIGNS: Final = operation(
    scope="read",
    parameters=[
        _query("state", {"type": "string", "enum": list(STATES), "default": "any"}),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": LISTED}),
        _query("after", {"type": "string", "maxLength": LONGEST_PLACE}),
    ],
    answers={
        "type": "object",
        "properties": {
            "campaigns": _OBJECTS,
            "next": {"type": ["string", "null"]},
            "look": {"type": ["object", "null"]},
        },
    },
    refusals=("401", "403", "422", "503"),
    description=(
        "Attacks by several accounts at once, the last opened first. `look` says when they were last looked for;"
        " null where nobody ever did. Open to a signed-in operator too."
    ),
)
CAMPAIGN: Final = operation(
    scope="read",
    parameters=[
        {
            "name": "campaign_id",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "maxLength": LONGEST_PLACE},
        }
    ],
    answers={
        "type": "object",
        "properties": {"campaign": {"type": "object"}, "signals": _OBJECTS, "members": _OBJECTS},
    },
    refusals=("401", "403", "404", "503"),
    description="One campaign, what its members share, and the members last seen. Open to a signed-in operator too.",
)
