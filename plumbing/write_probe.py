"""Whether a database takes a write: one that can be read may be full, or a replica that follows another."""

import asyncio
from collections.abc import Callable
from typing import Final

from plumbing.clock import Clock
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction

PROBE_EVERY_SECONDS: Final = 3.0
"""Anybody may ask whether we are ready; each write is a disk's sync."""
PATIENCE_SECONDS: Final = 2.0
"""A storage that takes longer is no storage for people who wait to log in."""


class WriteProbe:
    """Writes a row and takes it back, in one commit that leaves nothing; at most every few seconds, whoever asks."""

    def __init__(self, database: Database, clock: Clock, write_and_undo: Callable[[Transaction], None]) -> None:
        self._database = database
        self._clock = clock
        self._write_and_undo = write_and_undo
        self._asking = asyncio.Lock()
        self._answer = False
        self._asked_at: float | None = None

    async def __call__(self) -> bool:
        """Whether it does, or did a moment ago."""
        async with self._asking:
            now = self._clock.monotonic()
            if self._asked_at is None or now - self._asked_at >= PROBE_EVERY_SECONDS:
                self._answer = await self._takes_a_write()
                self._asked_at = now
            return self._answer

    async def _takes_a_write(self) -> bool:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._database.write(self._write_and_undo)
        except (Refused, TimeoutError):
            return False
        return True
