"""JSON that an operator's session may read, with as much of addresses as that session shows. What a service asks for
with its credential is whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from plumbing.asgi import json_answer
from risk_scorer.core.console.veil import Veil

Routes = TypeVar("Routes")


def veiled(
    endpoint: Callable[[Routes, Request], Awaitable[Response]],
) -> Callable[[Routes, Request], Coroutine[Any, Any, Response]]:
    """The endpoint, after which whatever is an address goes through the veil of whoever asked."""

    @wraps(endpoint)
    async def answer(routes: Routes, request: Request) -> Response:
        return as_seen(request, await endpoint(routes, request))

    return answer


def as_seen(request: Request, response: Response) -> Response:
    """The JSON answer as the session sees it that asked; as it is, where a service did."""
    veil: Veil | None = getattr(request.state, "veil", None)
    if veil is None or not veil.is_on:
        return response
    headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
    # Value by value: in the text itself an escaped line break would hide where an address begins.
    return json_answer(_through(msgspec.json.decode(response.body), veil), response.status_code, headers)


def _through(value: Any, veil: Veil) -> Any:
    if isinstance(value, str):
        return veil.text(value)
    if isinstance(value, list):
        return [_through(each, veil) for each in value]
    if isinstance(value, dict):
        return {veil.text(name): _through(each, veil) for name, each in value.items()}
    return value
