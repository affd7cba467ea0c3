"""A second address for those who watch the service: metrics, and how each part is. It belongs where only they reach it,
since it asks nobody who they are.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from plumbing.asgi import SecurityHeaders, json_answer
from plumbing.connection_guard import GuardedProtocol
from plumbing.listening import Address
from plumbing.metrics import CONTENT_TYPE, Meters
from plumbing.readiness import Parts, is_ready

MOST_CONNECTIONS: Final = 64


class CannotListen(Exception):
    """The address is taken, or none of ours."""


def watching_app(meters: Meters, parts: Parts) -> Starlette:
    """`/metrics`, `/live`, and `/ready` with the reason of each part."""

    async def metrics(_request: Request) -> Response:
        return Response(meters.exposition(), media_type=CONTENT_TYPE)

    async def live(_request: Request) -> Response:
        return json_answer({"status": "ok"})

    async def ready(_request: Request) -> Response:
        found = await parts.look()
        status = "ready" if is_ready(found) else "not_ready"
        body = {
            "status": status,
            "parts": {
                part.name: {"ok": part.is_well, "needed": part.is_needed, "reason": part.reason} for part in found
            },
        }
        return json_answer(body, status=200 if status == "ready" else 503)

    app = Starlette(routes=[Route("/metrics", metrics), Route("/live", live), Route("/ready", ready)])
    app.add_middleware(SecurityHeaders)
    return app


class SideDoor:
    """A listener that is open already, so that a taken port stops the start; it answers while `answering` lasts."""

    def __init__(self, address: Address, *, is_one_of_many: bool = False) -> None:
        """Raises: CannotListen."""
        self.address = address
        self._listener = _listening(address, is_shared=is_one_of_many)

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    @asynccontextmanager
    async def answering(self, app: Starlette) -> AsyncIterator[None]:
        """Answer on the running event loop."""
        config = uvicorn.Config(
            app,
            http=GuardedProtocol,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=1,
        )
        server = _Beside(config)
        task = asyncio.create_task(server.serve(sockets=[self._listener]))
        try:
            yield
        finally:
            server.should_exit = True
            await task

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()


class _Beside(uvicorn.Server):
    """A server that leaves the process's signals to the one beside which it runs."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def refuse_if_taken(address: Address) -> None:
    """Several processes that share an address would share it with a stranger's, too: whoever starts them asks first.

    Raises: CannotListen.
    """
    _listening(address, is_shared=False).close()


def _listening(address: Address, *, is_shared: bool) -> socket.socket:
    try:
        family, _, _, _, resolved = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if is_shared:  # each worker takes a part of those who ask, and each answers for all
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(resolved)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise CannotListen(f"cannot listen on {address.host} port {address.port}: {error.strerror}") from error
    return listener
