"""`GET /events/schema`: what others are told of, and in which shapes."""

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.reference import Schema, operation
from auth_gateway.core.event_reference import schema_document
from plumbing.lean import add_lean

MAX_AGE_SECONDS = 3_600

_DOCUMENT = msgspec.json.encode(schema_document())
_SCHEMA: Schema = operation(
    description="A JSON schema (draft 2020-12) for the messages of each type. Fields may be added to a version.",
    answers={
        "200": {
            "description": "The version, and the schemas by type.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)


async def get_schema(_request: Request) -> Response:
    """The same for everybody until the next release."""
    headers = {"cache-control": f"public, max-age={MAX_AGE_SECONDS}"}
    return Response(_DOCUMENT, media_type="application/json", headers=headers)


def add_event_routes(app: FastAPI) -> None:
    """Serve and document it."""
    add_lean(
        app, "/events/schema", get_schema, method="GET", summary="Events and their schemas", operation=_SCHEMA,
        takes_head=True,
    )  # fmt: skip
