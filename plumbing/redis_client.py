"""Redis for what runs on an event loop: bounded in time, never waited for while it is away.

What Redis holds can be lost at any moment. Every caller has an answer of its own for `RedisAway`: this fails to that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any, Final, TypeVar

from redis import exceptions
from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from plumbing.randomness import Randomness
from plumbing.redis_address import PREFIX, connection_arguments
from plumbing.redis_health import (
    CALL_SECONDS,
    LOOK_SECONDS,
    MEANT,
    UNREADABLE,
    RedisHealth,
    RedisWatch,
    limits,
)
from plumbing.redis_script import PRESENCE, Argument, Script

T = TypeVar("T")
MOST_CONNECTIONS: Final = 8
"""Redis does one thing at a time; more of them would only be opened all at once when many people come."""
ABSENT_SECONDS: Final = 10
"""A process that has not said for so long that it is there does not count any more."""


class SharedRedis:
    """One server, behind a breaker of its own. What it is asked must be read by `read`, which may raise on nonsense."""

    def __init__(self, url: str, *, service: str, randomness: Randomness, watch: RedisWatch | None = None) -> None:
        """`service` is whose keys these are: `gw` or `sc`."""
        arguments = connection_arguments(url)
        kind: dict[str, Any] = {"connection_class": SSLConnection} if arguments.pop("ssl") else {}
        self._pool = BlockingConnectionPool(
            max_connections=MOST_CONNECTIONS + 1,  # the look never waits for a turn
            timeout=CALL_SECONDS,
            retry=Retry(NoBackoff(), 0),
            **kind,
            **arguments,
            **limits(),
        )
        self._client = Redis(connection_pool=self._pool)
        self._health = RedisHealth(watch)
        self._turn = asyncio.Semaphore(MOST_CONNECTIONS)
        self._randomness = randomness
        self._me = randomness.token(12)
        self._service = service
        self.processes = 1
        """How many processes of this service were there when Redis was asked last, this one among them."""

    @property
    def problem(self) -> str | None:
        """Why Redis is not asked now, or None."""
        return self._health.problem

    def key(self, *parts: str) -> str:
        """A key of this service's."""
        return PREFIX + ":".join((self._service, *parts))

    async def ask(self, use: str, work: Callable[[Redis], Awaitable[T]]) -> T:
        """What `work` gets from the client; `use` names it in the metrics.

        Raises: RedisAway, at once while Redis is known to be away.
        """
        self._health.admit(use)
        async with self._turn:
            self._health.admit(use)  # while this one waited another may have found out
            began = perf_counter()
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    answer = await work(self._client)
            except (*MEANT, *UNREADABLE) as error:
                raise self._health.failed(use, error, perf_counter() - began) from None
            self._health.answered(use, perf_counter() - began)
            return answer

    async def evaluate(
        self,
        use: str,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[Argument],
        *,
        read: Callable[[Any], T],
    ) -> T:
        """What the script says, as `read` understands it.

        Raises: RedisAway.
        """

        async def work(client: Redis) -> T:
            return read(await _evaluated(client, script, keys, arguments))

        return await self.ask(use, work)

    async def run(self) -> None:
        """Look after Redis until cancelled."""
        while not is_cancelled():
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Say that this process is there; what comes of it decides whether Redis is asked."""
        began = perf_counter()
        keys = [self.key("processes"), self.key("count")]
        arguments: list[Argument] = [self._me, ABSENT_SECONDS, self._randomness.token(12)]
        try:
            async with asyncio.timeout(CALL_SECONDS):
                found = int(await _evaluated(self._client, PRESENCE, keys, arguments))
        except (*MEANT, *UNREADABLE) as error:
            self._health.seen(error, perf_counter() - began)
            return
        self.processes = max(1, found)
        self._health.seen(None)

    async def close(self) -> None:
        """Let go of the connections, and say that this process is gone where that can be said."""
        with suppress(*MEANT):
            async with asyncio.timeout(CALL_SECONDS):
                if self.problem is None:
                    await self._client.zrem(self.key("processes"), self._me)
        await self._client.aclose()
        with suppress(*MEANT):
            await self._pool.disconnect()


def is_cancelled() -> bool:
    """Whether this task shall end: a cancellation that meets the end of a time limit can get lost on its way."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _evaluated(client: Redis, script: Script, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
    try:
        return await client.evalsha(script.sha, len(keys), *keys, *arguments)
    except exceptions.NoScriptError:
        return await client.eval(script.text, len(keys), *keys, *arguments)
