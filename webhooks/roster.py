"""Receivers that nobody listed at the start: their lanes come when something waits for them, and go when nothing does.

A receiver's endpoint is made from its name in the outbox alone, so what another process put there is sent too.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Final

import structlog

from plumbing.clock import Clock
from plumbing.database import Database
from webhooks.endpoint import Receiver
from webhooks.lane import STORAGE_RETRY_SECONDS, Lane
from webhooks.outbox import Outbox
from webhooks.targets import TargetRefused

LOOK_EVERY_SECONDS: Final = 1.0
"""One read on an index; what a command line added in another process is on its way after this at the latest."""

Find = Callable[[str], Receiver | None]
"""The name of an endpoint → how to send there, None when it is not of this kind.

Raises: TargetRefused when we do not send there; what waits for it is given up.
"""

log = structlog.get_logger("webhooks.delivery")


class Roster:
    """Opens lanes on demand until it is cancelled; lives through a database that fails."""

    def __init__(
        self,
        find: Find,
        *,
        listed: Collection[str],
        open_lane: Callable[[Receiver], Lane],
        database: Database,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self._find = find
        self._listed = frozenset(listed)
        self._open_lane = open_lane
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._woken = asyncio.Event()
        self._lanes: dict[str, Lane] = {}
        self._gone: set[str] = set()

    @property
    def disabled(self) -> frozenset[str]:
        """Those that answered 410."""
        return frozenset(self._gone)

    def wake(self) -> None:
        """Look at the outbox now; on the event loop only."""
        self._woken.set()

    async def run(self) -> None:
        """Look, open lanes, and wait."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._woken.clear()
                try:
                    await self._look(group)
                except Exception as error:
                    log.error("outbox_unavailable", reason=repr(error))
                    await asyncio.sleep(STORAGE_RETRY_SECONDS)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_SECONDS):
                        await self._woken.wait()

    async def _look(self, group: asyncio.TaskGroup) -> None:
        for name in await self._database.read_in_thread(self._outbox.waiting):
            if name in self._lanes:
                self._lanes[name].woken.set()
            elif name not in self._listed and name not in self._gone:
                await self._open(name, group)

    async def _open(self, name: str, group: asyncio.TaskGroup) -> None:
        try:
            endpoint = self._find(name)
        except TargetRefused as refused:
            problem = f"target_{refused.code}"
            log.error("endpoint_refused", endpoint=name, problem=problem)
            await self._database.write(
                partial(self._outbox.give_up, endpoint=name, now=self._clock.now(), error=problem)
            )
            return
        if endpoint is not None:
            self._lanes[name] = lane = self._open_lane(endpoint)
            group.create_task(self._served(lane))

    async def _served(self, lane: Lane) -> None:
        name = lane.endpoint.name
        try:
            await lane.run()
        except Exception as error:  # the next look opens it again
            log.error("lane_crashed", endpoint=name, reason=repr(error))
        finally:
            del self._lanes[name]
            if lane.is_disabled:
                self._gone.add(name)
