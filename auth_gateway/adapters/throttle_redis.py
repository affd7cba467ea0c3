"""Counters of failed attempts that several processes share through Redis; how long a count makes one wait is
`core.throttle`.

While Redis is away each process counts by itself, and lets through its share of each limit alone: what Redis said last
weighs on, so the loss gives nobody new guesses. When Redis is back it is told what was counted meanwhile.
"""

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b
from typing import Final

from auth_gateway.adapters.throttle_memory import MemoryThrottle
from auth_gateway.adapters.throttle_steps import REFUND, RESERVE, Told, asked, told
from auth_gateway.core.throttle import ThrottleKey
from auth_gateway.flows.ports import Reservation
from plumbing.redis_client import SharedRedis
from plumbing.redis_health import RedisAway
from plumbing.redis_script import Script

LEAST_SHARES: Final = 2
"""Who alone knows of nobody else may still not be alone."""


class RedisThrottle:
    """Reserves before the password is looked at, in one step of Redis's."""

    def __init__(
        self,
        redis: SharedRedis,
        *,
        key: bytes,
        held_up: Callable[[str], None],
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`key` hides names and addresses from whoever reads what Redis holds; `clock` stands in for Redis's own."""
        self._redis = redis
        self._key = key[:64]
        self._held_up = held_up
        self._clock = clock
        self._here = MemoryThrottle(held_up=held_up)

    async def reserve(self, keys: Sequence[ThrottleKey], now: float) -> Reservation:
        """Counts one attempt against all keys, or none when one must wait."""
        try:
            said = await self._step(RESERVE, keys, at=now, now=now) if keys else None
        except RedisAway:
            return await self._here.reserve(keys, now, shared_by=max(LEAST_SHARES, self._redis.processes))
        if said is None or said.held_by is None:
            return Reservation(keys=tuple(keys), at=now)
        self._held_up(keys[said.held_by].scope)
        return Reservation(keys=tuple(keys), at=now, wait_seconds=said.wait_seconds)

    async def refund(self, reservation: Reservation) -> None:
        """Gives one counted attempt back; a reservation that had to wait counted nothing."""
        if reservation.wait_seconds > 0 or not reservation.keys:
            return
        try:
            await self._step(REFUND, reservation.keys, at=reservation.at, now=reservation.at)
        except RedisAway:
            await self._here.refund(reservation)

    async def _step(self, script: Script, keys: Sequence[ThrottleKey], *, at: float, now: float) -> Told:
        arguments = asked(
            keys,
            [self._here.recall(key) for key in keys],
            at=at,
            now=now,
            shift=None if self._clock is None else self._clock(),
        )
        names = [self._redis.key("count"), *map(self._name, keys)]
        said = await self._redis.evaluate("throttle", script, names, arguments, read=partial(told, keys=keys, now=now))
        for key, failures in zip(keys, said.failures, strict=True):
            self._here.remember(key, failures)
        return said

    def _name(self, key: ThrottleKey) -> str:
        digest = blake2b(key.name.encode(), digest_size=16, key=self._key).hexdigest()
        return self._redis.key("throttle", key.scope, digest)
