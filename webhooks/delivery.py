"""The worker that empties the outbox: one lane for each endpoint, so that a bad receiver delays nobody but itself.
Endpoints are listed at the start; others can be found by their name when something waits for them.

At least once: a message is marked only after the receiver took it, so a crash in between sends it again, under the same
id and with the same bytes. In order are those alone that were added with an `order_key`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import structlog

from plumbing.clock import Clock
from plumbing.database import Database
from plumbing.randomness import Randomness
from plumbing.tracing import UNTRACED, Tracing
from webhooks.endpoint import Endpoint, Receiver
from webhooks.lane import Lane
from webhooks.marks import Noted, unnoticed
from webhooks.outbox import Outbox
from webhooks.pace import Pace
from webhooks.resolving import system_resolver
from webhooks.roster import Find, Retire, Roster
from webhooks.targets import Resolver

__all__ = ["DeliveryWorker", "Endpoint", "Pace", "Receiver"]

FORGET_BATCH: Final = 1_000
FORGET_EVERY_SECONDS: Final = 3_600.0
FORGET_AGAIN_SECONDS: Final = 1.0

log = structlog.get_logger("webhooks.delivery")


class DeliveryWorker:
    """Sends what the outbox holds until it is cancelled; lives through a database that fails. `paces` has those of
    receivers that are not tried like the others, by their names."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        endpoints: Sequence[Receiver],
        clock: Clock,
        randomness: Randomness,
        *,
        pace: Pace | None = None,
        paces: Mapping[str, Pace] | None = None,
        resolver: Resolver = system_resolver,
        find: Find | None = None,
        retire: Retire | None = None,
        noted: Noted = unnoticed,
        tracing: Tracing = UNTRACED,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._pace = pace or Pace()
        open_lane = partial(
            Lane,
            database=database,
            outbox=outbox,
            clock=clock,
            randomness=randomness,
            resolver=resolver,
            noted=noted,
            tracing=tracing,
        )
        self._lanes = [open_lane(each, pace=(paces or {}).get(each.name, self._pace)) for each in endpoints]
        self._roster: Roster | None = None
        if find is not None:
            self._roster = Roster(
                find,
                listed=[endpoint.name for endpoint in endpoints],
                open_lane=partial(open_lane, pace=self._pace, until_empty=True),
                database=database,
                outbox=outbox,
                clock=clock,
                retire=retire,
            )

    @property
    def disabled(self) -> frozenset[str]:
        """The endpoints that answered 410: they get nothing more until the next start, and their messages wait. Those
        that `retire` takes down are not among them."""
        listed = frozenset(lane.endpoint.name for lane in self._lanes if lane.is_disabled)
        return listed if self._roster is None else listed | self._roster.disabled

    @property
    def failing(self) -> frozenset[str]:
        """The listed endpoints whose latest attempts all failed."""
        return frozenset(lane.endpoint.name for lane in self._lanes if lane.is_failing)

    def wake(self) -> None:
        """Look at the outbox now; call it on the worker's event loop, after the transaction that added a message."""
        for lane in self._lanes:
            lane.woken.set()
        if self._roster is not None:
            self._roster.wake()

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.run())
            if self._roster is not None:
                group.create_task(self._roster.run())
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
