"""Makes every refusal of a login leave at the same time, whatever it was refused for.

Without it a stopwatch tells an unknown name from a frozen account from a wrong password. The wait is a sleep of the
event loop: it holds no hashing thread and no connection to the database.
"""

import asyncio
import math
from collections.abc import Callable, Iterable

from auth_gateway.adapters.password_schemes import Scheme
from plumbing.clock import Clock

# Head-room over the measured time, for the rest of the request and for the scatter of a busy machine.
MARGIN_RATIO = 1.3
MARGIN_SECONDS = 0.01

Measure = Callable[[Scheme], float]


class RefusalFloor:
    """Waits until the first multiple of one floor, which lies above the slowest hash scheme in use."""

    def __init__(self, clock: Clock, measure: Measure) -> None:
        self._clock = clock
        self._measure = measure
        self._seconds_by_scheme: dict[Scheme, float] = {}

    @property
    def seconds(self) -> float:
        """The floor: the slowest scheme ever met, with its margin. It never falls while the process lives."""
        return MARGIN_SECONDS + MARGIN_RATIO * max(self._seconds_by_scheme.values(), default=0.0)

    @property
    def slowest(self) -> Scheme | None:
        """The scheme that sets the floor, None before any was measured."""
        return max(self._seconds_by_scheme, key=self._seconds_by_scheme.__getitem__, default=None)

    def cover(self, schemes: Iterable[Scheme]) -> None:
        """Measures what may be slower than all schemes met before; slow, so never on the event loop.

        The greatest costs come first and cover the lesser ones of their kind: an import may bring thousands of PBKDF2
        hashes with a count of their own each, and none of them may delay the start.
        """
        for scheme in sorted(schemes, key=lambda scheme: scheme.costs, reverse=True):
            if not any(known.covers(scheme) for known in self._seconds_by_scheme):
                self._seconds_by_scheme[scheme] = self._measure(scheme)

    async def hold(self, started_at: float) -> None:
        """Returns at the first multiple of the floor after `started_at` (monotonic seconds) that has not passed.

        Multiples, because under load a refusal may be later than the floor: what remains visible is then the load,
        rounded up.
        """
        elapsed = max(0.0, self._clock.monotonic() - started_at)
        due = self.seconds * max(1, math.ceil(elapsed / self.seconds))
        await asyncio.sleep(due - elapsed)
