"""The analysts' views: parse, ask, render."""

from __future__ import annotations

from typing import Final

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import json_answer
from plumbing.lean import add_lean
from plumbing.queries import each_once
from risk_scorer.api.access import Access
from risk_scorer.api.reference import Schema, operation
from risk_scorer.api.veiled import as_seen
from risk_scorer.flows.activity.views import Views


def add_views(app: FastAPI, *, access: Access, views: Views) -> None:
    """Put them under their paths."""

    async def listed(request: Request) -> Response:
        access.require_or_operator(request, "read")
        return as_seen(request, json_answer({"views": [msgspec.to_builtins(view) for view in views.listed]}))

    async def answer(request: Request) -> Response:
        access.require_or_operator(request, "read")
        given = each_once(request)
        name = str(request.path_params["name"])
        values, rows = await views.ask(name, dict(given))
        return as_seen(request, json_answer({"view": name, "parameters": values, "rows": rows}))

    add_lean(app, "/views", listed, method="GET", summary="List the analysts' views", operation=LISTED)
    add_lean(app, "/views/{name}", answer, method="GET", summary="Ask one of them", operation=VIEW)


_OBJECTS: Final[Schema] = {"type": "array", "items": {"type": "object"}}
LISTED: Final = operation(
    scope="read",
    answers={"type": "object", "properties": {"views": _OBJECTS}},
    refusals=("401", "403"),
    description="Each view with its parameters, their bounds and usual values, and its columns.",
)
VIEW: Final = operation(
    scope="read",
    parameters=[
        {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "since", "in": "query", "schema": {"type": "string"}},
        {"name": "until", "in": "query", "schema": {"type": "string"}},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 10_000}},
    ],
    answers={
        "type": "object",
        "properties": {"view": {"type": "string"}, "parameters": {"type": "object"}, "rows": _OBJECTS},
    },
    refusals=("401", "403", "404", "422", "429", "503"),
    description="The rows of a view, for the parameters that `GET /views` names. Open to a signed-in operator too.",
)
