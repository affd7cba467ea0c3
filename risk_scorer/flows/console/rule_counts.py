"""What each rule of the policy did of late: the gateway counts it, for longer than a page may take where there is much,
so it is asked beside the pages, and what it said last stands meanwhile."""

from __future__ import annotations

import asyncio
from typing import Final

from msgspec import Struct

from plumbing.clock import Clock
from risk_scorer.core.console.policy import Counts
from risk_scorer.flows.console.ports import Gateway

COUNT_SECONDS: Final = 5.0
"""A hundred thousand decisions are counted in a third of a second of a processor that has nothing else to do."""
WAIT_SECONDS: Final = 0.12
"""As long as a page waits for newer ones."""


class RuleCounts(Struct, frozen=True, kw_only=True):
    """The counts, and when they were told."""

    counts: Counts
    at: float


class CountedRules:
    """Asks, and remembers the last answer. Lives on the event loop."""

    def __init__(self, gateway: Gateway, *, clock: Clock) -> None:
        self._gateway = gateway
        self._clock = clock
        self._asking: asyncio.Task[RuleCounts] | None = None
        self._known: RuleCounts | None = None

    async def of_late(self) -> RuleCounts | None:
        """The newest, or the last ones that there were; None where they are counted for the first time. Raises:
        Refused, as the gateway does."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(_looked_at)
        done, _ = await asyncio.wait([self._asking], timeout=WAIT_SECONDS)
        return self._asking.result() if done else self._known

    async def _ask(self) -> RuleCounts:
        counts = await self._gateway.ask("GET", "/policy/rules", Counts, seconds=COUNT_SECONDS)
        self._known = RuleCounts(counts=counts, at=self._clock.now())
        return self._known


def _looked_at(task: asyncio.Task[RuleCounts]) -> None:
    """Nobody may wait for it any more: the next page says what the gateway refuses then."""
    if not task.cancelled():
        task.exception()
