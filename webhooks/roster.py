"""Receivers that nobody listed at the start: their lanes come when something waits for them, and go when nothing does.

A receiver's endpoint is made from its name in the outbox alone, so what another process put there is sent too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
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
Retire = Callable[[str, str], Awaitable[bool]]
"""Takes down that a receiver gets nothing more, and why: "gone" (410), "given_up" or "target_…". False when it keeps no
such book of this one; if it does, `find` knows none of that name until somebody says otherwise."""

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
        retire: Retire | None = None,
    ) -> None:
        self._find = find
        self._retire = retire
        self._listed = frozenset(listed)
        self._open_lane = open_lane
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._woken = asyncio.Event()
        self._lanes: dict[str, Lane] = {}
        self._gone: set[str] = set()
        self._asked_at: dict[str, float] = {}

    @property
    def disabled(self) -> frozenset[str]:
        """Those that answered 410 and that no book is kept of."""
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
                await self._look_after(name, self._lanes[name])
            elif name not in self._listed and name not in self._gone:
                await self._open(name, group)

    async def _look_after(self, name: str, lane: Lane) -> None:
        """What is disabled or removed while its lane is open gets nothing more."""
        lane.woken.set()
        if lane.is_given_up and not await self._retired(name, "given_up"):
            lane.is_given_up = False
        now = self._clock.monotonic()
        if now - self._asked_at.get(name, -LOOK_EVERY_SECONDS) < LOOK_EVERY_SECONDS and not lane.is_given_up:
            return
        self._asked_at[name] = now
        try:
            is_served = self._find(name) is not None
        except TargetRefused:
            is_served = False
        if not is_served:
            lane.stop()

    async def _retired(self, name: str, reason: str) -> bool:
        return self._retire is not None and await self._retire(name, reason)

    async def _open(self, name: str, group: asyncio.TaskGroup) -> None:
        try:
            endpoint = self._find(name)
        except TargetRefused as refused:
            problem = f"target_{refused.code}"
            log.error("endpoint_refused", endpoint=name, problem=problem)
            await self._database.write(
                partial(self._outbox.give_up, endpoint=name, now=self._clock.now(), error=problem)
            )
            await self._retired(name, problem)
            return
        if endpoint is not None:
            self._lanes[name] = lane = self._open_lane(endpoint)
            group.create_task(self._served(lane))

    async def _served(self, lane: Lane) -> None:
        name = lane.endpoint.name
        try:
            await lane.run()
            if lane.is_disabled and not await self._retired(name, "gone"):
                self._gone.add(name)
            elif lane.is_given_up:
                await self._retired(name, "given_up")
        except Exception as error:  # the next look opens it again
            log.error("lane_crashed", endpoint=name, reason=repr(error))
        finally:
            del self._lanes[name]
            self._asked_at.pop(name, None)
