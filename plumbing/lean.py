"""Endpoints that take the request as it is: past the framework's argument machinery, and past its router when hottest.

The framework's own handling is most of the time of an endpoint that decodes its bytes itself.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from plumbing.asgi import refusal_answer
from plumbing.refusals import Refused

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class LeanRoute(APIRoute):
    """A route that hands the request to its endpoint as it is."""

    def get_route_handler(self) -> Endpoint:
        endpoint: Endpoint = self.endpoint
        return endpoint


def add_lean(
    app: FastAPI,
    path: str,
    endpoint: Endpoint,
    *,
    method: str,
    summary: str,
    operation: dict[str, Any],
    takes_head: bool = False,
) -> None:
    """Serve the endpoint and document it; `operation` is its entry in the OpenAPI document. What `takes_head` says the
    same to HEAD, which is not worth a line in the reference; the server leaves the body out."""
    if takes_head:
        app.router.add_api_route(
            path, endpoint, methods=["HEAD"], include_in_schema=False, route_class_override=LeanRoute
        )
    app.router.add_api_route(
        path,
        endpoint,
        methods=[method],
        status_code=int(next(iter(operation["responses"]), 200)),
        summary=summary,
        description=operation.get("description"),
        openapi_extra=operation,
        response_model=None,
        response_class=Response,
        route_class_override=LeanRoute,
    )


class FastLane:
    """Answers `POST path` itself and hands everything else on.

    It stands inside the middlewares that guard every answer, so headers, refusals and crashes look as they do
    elsewhere; what it saves is the framework's own way to an endpoint that needs nothing of it.
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
