"""A span for each request."""

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plumbing.http_meters import HttpMeters, fixed_paths, route_of
from plumbing.metrics import Meters
from plumbing.tracing import HEADER, UNTRACED, Tracing, taken_over


class TracedRequests:
    """Stands outermost. Only a service that nobody but ours asks joins its caller's trace: by a header a stranger would
    fill our traces, or hide in somebody else's."""

    def __init__(self, app: ASGIApp, *, tracing: Tracing, fixed_paths: frozenset[str], joins: bool) -> None:
        self.app = app
        self._tracing = tracing
        self._fixed = fixed_paths
        self._joins = joins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._tracing.span("request", "server", parent=_parent(scope) if self._joins else None) as span:
            try:
                await self.app(scope, receive, send_noted)
            finally:
                span.note("http.request.method", scope["method"] if scope["method"] in _METHODS else "_OTHER")
                span.note("http.route", route_of(scope, self._fixed))
                span.note("http.response.status_code", status)


def watch_requests(app: FastAPI, *, meters: Meters, tracing: Tracing, joins: bool) -> None:
    """Count every request, and trace it where traces are made; after all routes and other middlewares are there."""
    paths = fixed_paths(app)
    app.add_middleware(HttpMeters, meters=meters, fixed_paths=paths)
    if tracing is not UNTRACED:
        app.add_middleware(TracedRequests, tracing=tracing, fixed_paths=paths, joins=joins)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _parent(scope: Scope) -> str | None:
    found = [value for name, value in scope["headers"] if name == HEADER.encode()]
    return taken_over(found[0].decode("latin-1")) if len(found) == 1 else None
