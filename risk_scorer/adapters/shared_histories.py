"""Copies of histories in Redis, for all scorers of a deployment. They are never believed unasked (`hot_histories`).

Fails to PostgreSQL: while Redis is away there are no copies, and nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from plumbing.redis_health import RedisAway
from plumbing.redis_threads import ThreadedRedis

if TYPE_CHECKING:
    from redis import Redis

KEPT_SECONDS: Final = 3600
"""Since it was read or written last; of a person who was erased by another process nothing stays for longer."""
READ: Final = "histories_read"
KEEP: Final = "histories_kept"
FORGET: Final = "histories_forgotten"


class RedisCopies:
    """What each person's history was when somebody read or wrote it last."""

    def __init__(self, redis: ThreadedRedis) -> None:
        self._redis = redis

    def get(self, users: Sequence[str]) -> list[bytes]:
        """What there is of these people, in any order; nothing while Redis is away."""
        keys = [self._key(user) for user in users]

        def found(client: Redis) -> list[bytes]:
            return [each for each in client.mget(keys) if isinstance(each, bytes)]

        try:
            return self._redis.ask(READ, found)
        except RedisAway:
            return []

    def keep(self, copies: Mapping[str, bytes]) -> None:
        """Have these for an hour; what Redis does not take is read from the database by whoever asks next."""

        def keep(client: Redis) -> None:
            pipeline = client.pipeline(transaction=False)
            for user, stored in copies.items():
                pipeline.set(self._key(user), stored, ex=KEPT_SECONDS)
            pipeline.execute()

        self._tried(KEEP, keep)

    def forget(self, user: str) -> None:
        """Have nothing of this person; while Redis is away what there is stays for the rest of its hour."""

        def forget(client: Redis) -> None:
            client.delete(self._key(user))

        self._tried(FORGET, forget)

    def _key(self, user: str) -> str:
        return self._redis.key("history", user)

    def _tried(self, use: str, work: Callable[[Redis], None]) -> None:
        with suppress(RedisAway):
            self._redis.ask(use, work)
