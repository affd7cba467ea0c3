"""Whose pages may read the provider's answers: the registered origins, read again every few seconds.

Fails to what was known last: with the storage down a page still reads that it is down, and nothing else is there to be
read. A process that has known nobody yet shares with nobody.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from auth_gateway.core.provider.page_origins import page_origins
from auth_gateway.flows.ports import Clients
from plumbing.database import Database
from plumbing.refusals import Refused

FRESH_SECONDS = 3.0
"""A page of an application that was registered or removed this long ago is met as such."""


class PageOrigins:
    """Knows the origins; `monotonic` gives seconds that never go back. Asked by nobody, it reads nothing."""

    def __init__(self, database: Database, clients: Clients, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._clients = clients
        self._monotonic = monotonic
        self._known: frozenset[str] = frozenset()
        self._read_at: float | None = None
        self._reading = asyncio.Lock()

    async def allow(self, origin: str) -> bool:
        """Whether a page of this origin, as its browser writes it, is a registered application's."""
        if not self._is_fresh():
            # Those who come meanwhile wait for the same list, so that strangers cannot have it read for each of them.
            async with self._reading:
                if not self._is_fresh():
                    await self._read()
        return origin in self._known

    def _is_fresh(self) -> bool:
        return self._read_at is not None and self._monotonic() - self._read_at < FRESH_SECONDS

    async def _read(self) -> None:
        began_at = self._monotonic()
        with suppress(Refused):
            self._known = page_origins(await self._database.read_in_thread(self._clients.list))
        self._read_at = began_at
