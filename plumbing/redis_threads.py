"""Redis for what runs in threads: the promises of `plumbing.redis_client`, and a thread of its own that looks after it.

A drip of bytes can stretch a call; silence cannot.
"""

import threading
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, TypeVar

from redis import BlockingConnectionPool, Redis, SSLConnection, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from plumbing.redis_address import PREFIX, connection_arguments
from plumbing.redis_client import MOST_CONNECTIONS
from plumbing.redis_health import (
    CALL_SECONDS,
    LOOK_SECONDS,
    MEANT,
    UNREADABLE,
    RedisHealth,
    RedisWatch,
    limits,
)
from plumbing.redis_script import Argument, Script

T = TypeVar("T")


class ThreadedRedis:
    """One server, behind a breaker of its own; any thread may ask."""

    def __init__(self, url: str, *, service: str, watch: RedisWatch | None = None) -> None:
        """`service` is whose keys these are: `gw` or `sc`."""
        arguments = connection_arguments(url)
        kind: dict[str, Any] = {"connection_class": SSLConnection} if arguments.pop("ssl") else {}
        pool = BlockingConnectionPool(  # type: ignore[no-untyped-call] # it has no types
            max_connections=MOST_CONNECTIONS,
            timeout=CALL_SECONDS,
            retry=Retry(NoBackoff(), 0),
            **kind,
            **arguments,
            **limits(),
        )
        self._client = Redis(connection_pool=pool)
        self._health = RedisHealth(watch)
        self._service = service
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def problem(self) -> str | None:
        """Why Redis is not asked now, or None."""
        return self._health.problem

    def key(self, *parts: str) -> str:
        """A key of this service's."""
        return PREFIX + ":".join((self._service, *parts))

    def ask(self, use: str, work: Callable[[Redis], T]) -> T:
        """What `work` gets from the client; `use` names it in the metrics.

        Raises: RedisAway, at once while Redis is known to be away.
        """
        self._health.admit(use)
        began = perf_counter()
        try:
            answer = work(self._client)
        except (*MEANT, *UNREADABLE) as error:
            raise self._health.failed(use, error, perf_counter() - began) from None
        self._health.answered(use, perf_counter() - began)
        return answer

    def evaluate(
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

        def work(client: Redis) -> T:
            try:
                return read(client.evalsha(script.sha, len(keys), *keys, *arguments))
            except exceptions.NoScriptError:
                return read(client.eval(script.text, len(keys), *keys, *arguments))

        return self.ask(use, work)

    def look(self) -> None:
        """See whether Redis takes writes; what comes of it decides whether it is asked."""
        began = perf_counter()
        try:
            if self._client.set(self.key("look"), b"", ex=60) is not True:
                raise exceptions.InvalidResponse
        except (*MEANT, *UNREADABLE) as error:
            self._health.seen(error, perf_counter() - began)
        else:
            self._health.seen(None)

    def start(self) -> None:
        """Look after Redis until `close`."""
        self._thread = threading.Thread(target=self._run, name="redis", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of the connections."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(2 * CALL_SECONDS + LOOK_SECONDS)
        self._client.close()
        self._client.connection_pool.disconnect()

    def _run(self) -> None:
        while not self._ended.is_set():
            self.look()
            self._ended.wait(LOOK_SECONDS)
