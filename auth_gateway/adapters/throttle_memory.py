"""Counters of failed attempts in this process's memory; how long a count makes one wait is `core.throttle`.

Bounded: a stranger chooses the names that are counted, so the idle ones give way first. What is lost by eviction or a
restart is a wait, never a lock.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from auth_gateway.core.throttle import Failures, ThrottleKey, counted, refunded, wait_seconds
from auth_gateway.flows.ports import Reservation

MOST_KEYS = 200_000

_NONE = Failures()


def _unnoticed(_scope: str) -> None:
    """Nobody wants to know."""


class MemoryThrottle:
    """Reserves before the password is looked at, so that a burst of guesses cannot outrun its own count."""

    def __init__(
        self, *, most_keys: int = MOST_KEYS, held_up: Callable[[str], None] = _unnoticed, shared_by: int = 1
    ) -> None:
        """`held_up` is told what was counted, of each attempt that has to wait. `shared_by` says how many processes
        count apart, always."""
        self._most_keys = most_keys
        self._shared_by = shared_by
        self._held_up = held_up
        self._failures: OrderedDict[ThrottleKey, Failures] = OrderedDict()

    async def reserve(self, keys: Sequence[ThrottleKey], now: float, *, shared_by: int = 1) -> Reservation:
        """Counts one attempt against all keys, or none when one must wait; no other task runs in between. Of each limit
        this lets through the share of one of `shared_by` processes, where that is more than there always are."""
        shared_by = max(shared_by, self._shared_by)
        failures = [self.recall(key) for key in keys]
        waits = [
            wait_seconds(failure, now, scope=key.scope, shared_by=shared_by)
            for key, failure in zip(keys, failures, strict=True)
        ]
        wait = max(waits, default=0.0)
        if wait > 0:
            self._held_up(keys[waits.index(wait)].scope)
            return Reservation(keys=tuple(keys), at=now, wait_seconds=wait)
        for key, failure in zip(keys, failures, strict=True):
            self.remember(key, counted(failure, now, scope=key.scope))
        return Reservation(keys=tuple(keys), at=now)

    async def refund(self, reservation: Reservation) -> None:
        """Gives one counted attempt back; a reservation that had to wait counted nothing."""
        if reservation.wait_seconds > 0:
            return
        for key in reservation.keys:
            failure = self._failures.get(key)
            if failure is not None:
                self.remember(key, refunded(failure, reservation.at))

    def recall(self, key: ThrottleKey) -> Failures:
        """What weighs on that key."""
        return self._failures.get(key, _NONE)

    def remember(self, key: ThrottleKey, failures: Failures) -> None:
        """From now on that weighs on that key."""
        if failures.weight <= 0:
            self._failures.pop(key, None)
            return
        self._failures[key] = failures
        self._failures.move_to_end(key)
        if len(self._failures) > self._most_keys:
            self._failures.popitem(last=False)
