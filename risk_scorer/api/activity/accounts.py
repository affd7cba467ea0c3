"""How unusual accounts are, for consoles: parse, ask the table, render."""

from __future__ import annotations

from typing import Final, Protocol

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import JSONAnswer
from plumbing.bodies import refuse_unsafe_text
from plumbing.lean import add_lean
from plumbing.refusals import Refused
from risk_scorer.api.access import Access
from risk_scorer.api.activity.campaigns import LISTED, MOST_LISTED, limit_of
from risk_scorer.api.reference import operation
from risk_scorer.api.veiled import veiled
from risk_scorer.contract.campaigns import AccountRanking, AccountScored

_encode = msgspec.json.Encoder().encode


class AccountRankings(Protocol):
    """What the last look for campaigns found of accounts."""

    async def ranking(self, *, limit: int) -> AccountRanking:
        """The most unusual. Raises: Refused."""
        ...

    async def account(self, user_id: str) -> AccountScored | None:
        """That account, None where it is not among the most unusual. Raises: Refused."""
        ...


class AccountRoutes:
    """Two answers: the ranking, and one account of it."""

    def __init__(self, access: Access, rankings: AccountRankings) -> None:
        self._access = access
        self._rankings = rankings

    @veiled
    async def ranking(self, request: Request) -> Response:
        self._access.require_or_operator(request, "read")
        return JSONAnswer(_encode(await self._rankings.ranking(limit=limit_of(request))))

    @veiled
    async def account(self, request: Request) -> Response:
        self._access.require_or_operator(request, "read")
        user_id = request.path_params["user_id"]
        refuse_unsafe_text(user_id, "path.user_id")
        found = await self._rankings.account(user_id)
        if found is None:
            text = "No account of that id is among the most unusual of the last look."
            raise Refused("unknown_account", text, status=404)
        return JSONAnswer(_encode(found))


def add_accounts(app: FastAPI, *, access: Access, rankings: AccountRankings) -> None:
    """Put both under their paths."""
    routes = AccountRoutes(access, rankings)
    add_lean(app, "/accounts/scores", routes.ranking, method="GET", summary="Rank accounts", operation=RANKING)
    add_lean(
        app, "/accounts/{user_id:path}/score", routes.account, method="GET", summary="Score an account", operation=ONE
    )


RANKING: Final = operation(
    scope="read",
    parameters=[
        {
            "name": "limit",
            "in": "query",
            "schema": {"type": "integer", "minimum": 1, "maximum": MOST_LISTED, "default": LISTED},
        }
    ],
    answers={
        "type": "object",
        "properties": {
            "accounts": {"type": "array", "items": {"type": "object"}},
            "look": {"type": ["object", "null"]},
        },
    },
    refusals=("401", "403", "422", "503"),
    description=(
        "The most unusual accounts of the last look for campaigns, the highest first: half robust z-scores, half an"
        " isolation forest. Unusual is not guilty: nobody's risk is raised by it. Open to a signed-in operator too."
    ),
)
ONE: Final = operation(
    scope="read",
    parameters=[{"name": "user_id", "in": "path", "required": True, "schema": {"type": "string", "maxLength": 256}}],
    answers={
        "type": "object",
        "properties": {
            "account": {"type": "object"},
            "campaigns": {"type": "array", "items": {"type": "object"}},
        },
    },
    refusals=("401", "403", "404", "422", "503"),
    description=(
        "How unusual one account is, 0-100, in which measures, and the campaigns that it is or was in; 404 for one"
        " below 50, or that was not seen. Open to a signed-in operator too."
    ),
)
