"""Whether the database takes a write: one that can be read may be full, or a replica that follows another."""

import asyncio
from typing import Final

from sqlalchemy import bindparam, delete

from auth_gateway.adapters.storage.provider.once import SEE
from auth_gateway.adapters.storage.tables import table_of
from auth_gateway.adapters.storage.tables_provider import SeenOnceRow
from plumbing.clock import Clock
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Statement, Transaction

PROBE_EVERY_SECONDS: Final = 3.0
"""Anybody may ask whether we are ready; each write is a disk's sync."""
PATIENCE_SECONDS: Final = 2.0
"""A storage that takes longer is no storage for people who wait to log in."""

_MARK: Final = b"readiness"
_seen = table_of(SeenOnceRow)
_UNSEE = Statement(delete(_seen).where(_seen.c.digest == bindparam("mark")))


class WriteProbe:
    """Writes a row and takes it back, in one commit that leaves nothing; at most every few seconds, whoever asks."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
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
                await self._database.write(_write)
        except (Refused, TimeoutError):
            return False
        return True


def _write(tx: Transaction) -> None:
    tx.run(SEE, digest=_MARK, expires_at=0.0)
    tx.run(_UNSEE, mark=_MARK)
