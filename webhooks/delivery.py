"""The worker that empties the outbox: one lane for each endpoint, so that a bad receiver delays nobody but itself.

At least once: a message is marked only after the receiver took it, so a crash in between sends it again, under the same
id and with the same bytes. Order is not promised.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog

from plumbing.clock import Clock
from plumbing.database import Database
from plumbing.randomness import Randomness
from webhooks.lane import Endpoint, Lane, Pace
from webhooks.outbox import Outbox
from webhooks.targets import Resolver, system_resolver

__all__ = ["DeliveryWorker", "Endpoint", "Pace"]

FORGET_BATCH: Final = 1_000
FORGET_EVERY_SECONDS: Final = 3_600.0
FORGET_AGAIN_SECONDS: Final = 1.0

log = structlog.get_logger("webhooks.delivery")


class DeliveryWorker:
    """Sends what the outbox holds until it is cancelled; lives through a database that fails."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        endpoints: Sequence[Endpoint],
        clock: Clock,
        randomness: Randomness,
        *,
        pace: Pace | None = None,
        resolver: Resolver = system_resolver,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._pace = pace or Pace()
        self._lanes = [
            Lane(
                endpoint,
                database=database,
                outbox=outbox,
                clock=clock,
                randomness=randomness,
                pace=self._pace,
                resolver=resolver,
            )
            for endpoint in endpoints
        ]

    @property
    def disabled(self) -> frozenset[str]:
        """The endpoints that answered 410: they get nothing more until the next start, and their messages wait."""
        return frozenset(lane.endpoint.name for lane in self._lanes if lane.is_disabled)

    def wake(self) -> None:
        """Look at the outbox now; call it on the worker's event loop, after the transaction that added a message."""
        for lane in self._lanes:
            lane.woken.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.run())
            group.create_task(self._forget_delivered())

    async def _forget_delivered(self) -> None:
        """Keep the outbox small: what was delivered long ago is of use to nobody."""
        while True:
            before = self._clock.now() - self._pace.keep_delivered
            forget = partial(self._outbox.forget, before=before, limit=FORGET_BATCH)
            pause = FORGET_EVERY_SECONDS
            try:
                if await self._database.write(forget) == FORGET_BATCH:
                    pause = FORGET_AGAIN_SECONDS
            except Exception as error:
                log.error("outbox_unavailable", reason=repr(error))
            await asyncio.sleep(pause)
