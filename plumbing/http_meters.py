"""How many requests were answered with what, and how long they took, by the route that answered."""

from time import perf_counter
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plumbing.metrics import Meters

UNROUTED: Final = "unrouted"
MOST_ANSWERS: Final = 1_000
"""Routes times the statuses that each may answer with."""
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Fewer than elsewhere: there is a row of them for each status of each route."""


class HttpMeters:
    """Counts every request at the outermost place, where its final status is known. A route is told by its template,
    so that what strangers type never becomes a label."""

    def __init__(self, app: ASGIApp, *, meters: Meters, fixed_paths: frozenset[str]) -> None:
        self.app = app
        self._fixed = fixed_paths
        self._seconds = meters.histogram(
            "riskgate_http_request_seconds",
            "How long requests took to answer, by route and status.",
            ["route", "status"],
            buckets=BUCKETS,
            most=MOST_ANSWERS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, started = "aborted", perf_counter()

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        finally:
            self._seconds(route_of(scope, self._fixed), status).observe(perf_counter() - started)


def route_of(scope: Scope, fixed: frozenset[str]) -> str:
    """The template of the address that answered; once it has."""
    path: str = scope["path"]
    if path in fixed:
        return path
    template = getattr(scope.get("route"), "path", None)
    return template if isinstance(template, str) else UNROUTED


def fixed_paths(app: FastAPI) -> frozenset[str]:
    """The addresses that are known before anybody asks."""
    paths = (getattr(route, "path", "") for route in app.routes)
    return frozenset(path for path in paths if path and "{" not in path)
