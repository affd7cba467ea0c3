"""What is forgotten after its time, so that the storage stays bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from plumbing.clock import Clock
from plumbing.refusals import Refused

ROUND_SECONDS = 3600.0
DAY_SECONDS = 86_400.0

log = structlog.get_logger(__name__)


class Prunable(Protocol):
    async def prune(self, before: float) -> int:
        """Drop what is older than that time; how much went. Raises: Refused."""
        ...


async def keep_house(stores: Sequence[tuple[Prunable, float]], clock: Clock) -> None:
    """Prune each store to its (seconds of) age once an hour, for ever; a failed round is made up by the next."""
    while True:
        for store, keep_seconds in stores:
            try:
                gone = await store.prune(clock.now() - keep_seconds)
                log.debug("pruned", store=type(store).__name__, rows=gone)
            except Refused as refused:
                log.warning("not_pruned", store=type(store).__name__, reason=refused.code)
        await asyncio.sleep(ROUND_SECONDS)
