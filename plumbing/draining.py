"""A server that stops in steps: it says that it is leaving, goes on answering for a while, then takes nobody any more.

Who balances the load needs time to notice. Meanwhile every answer closes its connection, so that clients move on by
themselves, and when the listener closes hardly anybody is left whom that could hurt.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Final, NoReturn

import structlog
import uvicorn
from uvicorn.server import ServerState

from plumbing.stop_signals import STOP_SIGNALS

SHUTDOWN_SECONDS: Final = 5
"""How long answers in progress may take to finish once the listener is closed."""
CLOSING_SECONDS: Final = 10
"""How long the rest may take after that: what waits for the disk, and the connections to others."""
CUT_SHORT: Final = 4
"""Exit status when something was not finished: answers took too long, or a second signal came."""
MOST_WAITING: Final = 4096
"""Connections that are still taken at the very end; more than a listener's queue ever holds."""

log = structlog.get_logger("plumbing.draining")


class Draining(ServerState):
    """What all connections of a server know of it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_draining = False


class DrainingServer(uvicorn.Server):
    """Stops at the first signal after `drain_seconds`; at a second one, or past all bounds, hard.

    `heeds_one` is for a process whose parent does that itself: the whole group may have been told, and the parent tells
    once more.
    """

    server_state: Draining

    def __init__(self, config: uvicorn.Config, *, drain_seconds: float = 0.0, heeds_one: bool = False) -> None:
        super().__init__(config)
        self.server_state = Draining()
        self.is_cut_short = False
        self._drain_seconds = drain_seconds
        self._heeds_one = heeds_one
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.server_state.is_draining:
            if not self._heeds_one:
                hard_end()
            return
        self.server_state.is_draining = True
        if self._loop is None or not self.started or self._drain_seconds <= 0:
            self.should_exit = True
        else:
            self._loop.call_soon_threadsafe(self._loop.call_later, self._drain_seconds, self._leave)

    def _leave(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        watchdog = threading.Timer(SHUTDOWN_SECONDS + CLOSING_SECONDS, hard_end)
        watchdog.daemon = True
        watchdog.start()
        await self._take_the_last(sockets or [])
        await super().shutdown(sockets=sockets)

    async def _take_the_last(self, listeners: Sequence[socket.socket]) -> None:
        """Whoever is connected already and waits to be taken is answered: closing a listener cuts them off."""
        spares = [listener.dup() for listener in listeners]
        for server in self.servers:
            server.close()
        taken: list[socket.socket] = []
        for spare in spares:
            spare.setblocking(False)
            with contextlib.suppress(OSError):  # nobody waits any more
                while len(taken) < MOST_WAITING:
                    taken.append(spare.accept()[0])
            spare.close()
        loop = asyncio.get_running_loop()
        for connection in taken:
            connection.setblocking(False)
            with contextlib.suppress(OSError):  # gone meanwhile
                await loop.connect_accepted_socket(self._protocol, connection, ssl=self.config.ssl)

    def _protocol(self) -> asyncio.Protocol:
        # uvicorn's own way to make one, in `startup`.
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    async def _wait_tasks_to_complete(self) -> None:
        try:
            await super()._wait_tasks_to_complete()
        except asyncio.CancelledError:
            self.is_cut_short = True
            raise

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear stop signals; unlike the library's own way, none is raised again afterwards: the exit status is ours."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def hard_end() -> NoReturn:
    """End this process now; what was answered is on the disk, and nothing else is waited for."""
    log.error("stopped_hard")
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(CUT_SHORT)
