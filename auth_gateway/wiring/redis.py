"""What several processes share through Redis: the client, joined with what counts through it. No rules."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from auth_gateway.adapters.breaker import CircuitBreaker
from auth_gateway.adapters.scorer import Breaker
from auth_gateway.adapters.throttle_memory import MemoryThrottle
from auth_gateway.assembly import Gateway
from auth_gateway.flows.ports import Throttle
from auth_gateway.watching import Watching

NAMES_PURPOSE = "throttle-names"


class Sharing:
    """What this process shares with others where REDIS_URL is set, and has for itself alone where it is not.

    The client is read when it is asked for: without Redis nobody pays for it.
    """

    def __init__(self, gateway: Gateway, watching: Watching) -> None:
        # Workers without Redis count apart, and whoever guesses chooses no worker: each lets its share through alone.
        workers = gateway.settings.auth_gateway_workers
        self.throttle: Throttle = MemoryThrottle(held_up=watching.metrics.throttled, shared_by=workers)
        self.breaker: Breaker = CircuitBreaker()
        self.background: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._close: Callable[[], Awaitable[None]] | None = None
        url = gateway.settings.redis_url
        if url is not None:
            self._open(url.get_secret_value(), gateway, watching)

    def _open(self, url: str, gateway: Gateway, watching: Watching) -> None:
        from auth_gateway.adapters.breaker_redis import SharedBreaker
        from auth_gateway.adapters.throttle_redis import RedisThrottle
        from plumbing.redis_client import SharedRedis
        from plumbing.redis_meters import RedisMeters

        redis = SharedRedis(url, service="gw", randomness=gateway.randomness, watch=RedisMeters(watching.meters))
        key = gateway.vault.derive(NAMES_PURPOSE)
        self.throttle = RedisThrottle(redis, key=key, held_up=watching.metrics.throttled)
        breaker = SharedBreaker(
            redis,
            randomness=gateway.randomness,
            monotonic=gateway.clock.monotonic,
            changed=lambda is_open: watching.metrics.breaker(is_open=is_open),
        )
        self.breaker = breaker
        self.background = [redis.run, breaker.run]
        self._close = redis.close

        async def problem() -> str | None:
            return redis.problem

        watching.parts.add("redis", problem, is_needed=False)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._close is not None:
            await self._close()
