"""How any answer of ours looks: its headers, its refusals, and what a crash says (nothing but an incident id)."""

import asyncio
import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plumbing.randomness import Randomness, SystemRandomness
from plumbing.refusals import Refused

STRICT_CSP: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

_HTTP_CODES: Final = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}
_HTTP_TEXTS: Final = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
}

log = structlog.get_logger("plumbing.asgi")


class JSONAnswer(Response):
    """A response whose content is already JSON bytes."""

    media_type = "application/json"


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The value as JSON."""
    return JSONAnswer(msgspec.json.encode(value), status_code=status, headers=headers)


class SecurityHeaders:
    """Puts the browser's protections on every answer; one that a page set for itself stays."""

    def __init__(self, app: ASGIApp, csp: str = STRICT_CSP) -> None:
        self.app = app
        self._headers = (
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"content-security-policy", csp.encode("ascii")),
            # Answers hold tokens and people's data: no cache keeps one unless it says so itself.
            (b"cache-control", b"no-store"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                present = {name for name, _ in headers}
                message["headers"] = headers + [pair for pair in self._headers if pair[0] not in present]
            await send(message)

        await self.app(scope, receive, send_protected)


class LastResort:
    """Turns a crash into a 500 that says an incident id and nothing else; the log has the rest under that id.

    What is given up because the process ends is a 503: nothing went wrong, and another process can answer.
    """

    def __init__(self, app: ASGIApp, randomness: Randomness | None = None) -> None:
        self.app = app
        self._randomness = randomness or SystemRandomness()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_started = False

        async def send_watched(message: Message) -> None:
            nonlocal has_started
            has_started = has_started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_watched)
        except asyncio.CancelledError:
            # Only a server that has waited long enough for its last answers cancels one.
            if has_started:
                raise
            log.warning("request_given_up", method=scope["method"])
            await refusal_answer(_leaving())(scope, receive, send)
        except Exception:
            incident = self._randomness.event_id("inc")
            log.exception("request_crashed", incident_id=incident, method=scope["method"], has_started=has_started)
            if has_started:
                raise
            await _crash(incident)(scope, receive, send)


def _leaving() -> Refused:
    return Refused(
        "stopping",
        "This server is stopping.",
        status=503,
        retry_after_seconds=1,
        headers={"connection": "close"},
    )


def _crash(incident: str) -> Response:
    text = "Something went wrong on our side."
    return json_answer({"error": "internal_error", "error_description": text, "incident_id": incident}, 500)


def refusal_handlers(app: FastAPI, randomness: Randomness | None = None) -> None:
    """Make every failure of the application answer in one form: `{"error": code, "error_description": text, …}`."""
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_middleware(LastResort, randomness=randomness)


def refusal_answer(refused: Refused) -> Response:
    """A refusal as the client sees it."""
    headers = dict(refused.headers)
    if refused.retry_after_seconds is not None:
        # Whole seconds (RFC 9110, section 10.2.3), never zero: a client told "now" comes back in a loop.
        headers["retry-after"] = str(max(1, math.ceil(refused.retry_after_seconds)))
    return json_answer(refused.as_answer(), refused.status, headers)


async def _on_refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - registered for this class alone
    return refusal_answer(error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
    headers = error.headers
    if error.status_code == 405:
        headers = {"allow": ", ".join(_methods_at(request))}
    code = _HTTP_CODES.get(error.status_code, "bad_request" if error.status_code < 500 else "internal_error")
    text = _HTTP_TEXTS.get(error.status_code, "The request cannot be served.")
    return json_answer({"error": code, "error_description": text}, error.status_code, headers)


def _methods_at(request: Request) -> list[str]:
    """Every method that the address takes (RFC 9110, section 15.5.6). An address with several has a route for each, and
    the router knows of the first alone."""
    here = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in here for method in getattr(route, "methods", None) or ()})


async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
    field = _first_field(error.errors())
    text = "A parameter is missing or has a value that is not allowed."
    return json_answer({"error": "invalid_request", "error_description": text, "field": field}, 422)


def _first_field(errors: Any) -> str:
    """Where the first fault is, by names of ours alone: a position in the body may be the client's own key."""
    for one in errors:
        where = one.get("loc", ())
        if len(where) >= 2 and where[0] in {"query", "path", "header", "cookie"}:
            return f"{where[0]}.{where[1]}"
        return str(where[0]) if where else "request"
    return "request"
