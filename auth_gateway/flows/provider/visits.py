"""How much one network may begin here and leave open. Anybody can send a browser to the sign-in page or leave a request
for one, and both are kept for a while; what comes to its end is given back, so that a large office has room.
"""

from dataclasses import dataclass

from auth_gateway.core.throttle import ThrottleKey, push_keys, visit_keys
from auth_gateway.flows.ports import Clock, Reservation, Throttle
from plumbing.refusals import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Counts ways through the sign-in page, and requests that wait to be fetched, by their network."""

    clock: Clock
    throttle: Throttle

    async def begin(self, ip: str) -> None:
        """One more way through the page.

        Raises: Refused `throttled` (429, Retry-After).
        """
        await self._count(visit_keys(ip))

    async def finish(self, ip: str) -> None:
        """One came to its end: the person is who they say."""
        await self._give_back(visit_keys(ip))

    async def leave(self, ip: str) -> None:
        """One more request of somebody who proved nothing.

        Raises: Refused `throttled` (429, Retry-After).
        """
        await self._count(push_keys(ip))

    async def fetch(self, ip: str) -> None:
        """One was fetched, and is a way through the page from now on."""
        await self._give_back(push_keys(ip))

    async def _count(self, keys: tuple[ThrottleKey, ...]) -> None:
        counted = await self.throttle.reserve(keys, self.clock.now())
        if counted.wait_seconds > 0:
            text = "Too many sign-ins were begun from this network. Wait a while, then try again."
            raise Refused("throttled", text, status=429, retry_after_seconds=counted.wait_seconds)

    async def _give_back(self, keys: tuple[ThrottleKey, ...]) -> None:
        await self.throttle.refund(Reservation(keys=keys, at=self.clock.now()))
