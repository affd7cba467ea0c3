"""A way past the router for the one address that is asked more often than all others together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from plumbing.asgi import refusal_answer
from plumbing.refusals import Refused


class FastLane:
    """Answers `POST path` itself and hands everything else on.

    It stands inside the guards of every answer, so headers, refusals and crashes look as they do elsewhere. The router
    knows the address too: it documents it and answers the wrong methods.
    """

    def __init__(self, app: ASGIApp, *, path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> None:
        self.app = app
        self._path = path
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        try:
            response = await self._endpoint(Request(scope, receive))
        except Refused as refused:
            response = refusal_answer(refused)
        await response(scope, receive, send)
