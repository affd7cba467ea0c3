"""Other providers push their events here, one token a request.

Source: RFC 8935, section 2.
"""

from dataclasses import dataclass
from typing import Final

import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.reference import TEXT, Schema, operation
from auth_gateway.core.ssf.security_event import MEDIA_TYPE
from auth_gateway.core.ssf.set_error import SetRefused
from auth_gateway.core.ssf.transmitter import may_be_name
from auth_gateway.flows.ssf.receiving import Receiving
from plumbing.asgi import json_answer
from plumbing.bodies import read_body
from plumbing.lean import add_lean

PATH: Final = "/ssf/events/{name}"
MOST_BYTES: Final = 16_384
"""The largest token that is read: 8 KiB of claims, a header and a 4096-bit signature, each a third longer outside."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReceivingRoutes:
    """The push endpoint of every transmitter that the operator added."""

    receiving: Receiving

    async def post_event(self, request: Request) -> Response:
        """An empty 202 once the event counts; 400 with a word of RFC 8935, section 2.4, for one that never will.

        Raises: Refused 404 `unknown_transmitter`, 408, 413, 503: as anywhere else.
        """
        name = request.path_params["name"]
        try:
            _require_set(request)
            token = _text(await read_body(request, max_bytes=MOST_BYTES))
            await self.receiving.pushed(name, request.headers.get("authorization", ""), token)
        except SetRefused as refused:
            # Nothing that a stranger wrote gets into the log.
            log.warning(
                "signal_refused",
                transmitter=name if may_be_name(name) else "?",
                err=refused.code,
                why=refused.description,
            )
            return json_answer({"err": refused.code, "description": refused.description}, 400, _LANGUAGE)
        return Response(status_code=202)


_LANGUAGE: Final = {"content-language": "en"}


def _require_set(request: Request) -> None:
    declared = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if declared != MEDIA_TYPE:
        raise SetRefused("invalid_request", f"Send the token as {MEDIA_TYPE}.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise SetRefused("invalid_request", "Send the token as it is, without a content encoding.")


def _text(raw: bytes) -> str:
    """Whitespace around it is nobody's; what else is no ASCII is no token."""
    return raw.decode("ascii", "replace").strip(" \t\r\n")


def add_receiving(app: FastAPI, routes: ReceivingRoutes) -> None:
    """Serve and document it."""
    add_lean(app, PATH, routes.post_event, method="POST", summary="Push an event to us", operation=_EVENT)


_REFUSED: Schema = {
    "type": "object",
    "properties": {"err": TEXT, "description": TEXT},
    "required": ["err", "description"],
}
_EVENT: Schema = {
    **operation(
        description="For transmitters of Shared Signals that the operator added: one signed Security Event Token "
        "(RFC 8935). A token that comes again is acknowledged again and does nothing.",
        answers={
            "202": {"description": "It counts."},
            "400": {
                "description": "It never will, for the reason `err` (RFC 8935, section 2.4).",
                "content": {"application/json": {"schema": _REFUSED}},
            },
        },
        bodies={MEDIA_TYPE: {"schema": TEXT}},
        refusals=("404", "413", "503"),
    ),
    "parameters": [{"name": "name", "in": "path", "required": True, "schema": TEXT}],
}
