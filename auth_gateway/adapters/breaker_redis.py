"""The breaker before the scorer, known to all processes: what one of them finds out the others need not find out too.

Nobody waits for Redis but the one who would probe, and the others hear from a look that is taken twice a second. While
Redis is away each process has its own breaker, as without Redis.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from auth_gateway.adapters.breaker import OPEN_SECONDS, CircuitBreaker
from plumbing.randomness import Randomness
from plumbing.redis_client import SharedRedis, is_cancelled
from plumbing.redis_health import RedisAway
from plumbing.redis_script import Argument, Script

HEAR_SECONDS: Final = 0.5
_KEPT_SECONDS: Final = 60
"""Each failed probe says it again; what nobody has said for so long is no news to a process that starts."""
_OPEN, _CLOSED = b"open", b"closed"
_TELL: Final = Script("""
-- KEYS: state, who probes.  ARGV: state, a name for this change, seconds to keep it.
local told = ARGV[1] .. ' ' .. ARGV[2]
redis.call('SET', KEYS[1], told, 'EX', ARGV[3])
redis.call('DEL', KEYS[2])
return told
""")


class SharedBreaker:
    """A breaker of this process's that tells the others what it does, and does as they do."""

    def __init__(
        self,
        redis: SharedRedis,
        *,
        randomness: Randomness,
        monotonic: Callable[[], float],
        changed: Callable[[bool], None],
    ) -> None:
        """`changed` hears whether it is open now, when another process made it so."""
        self._here = CircuitBreaker()
        self._redis = redis
        self._randomness = randomness
        self._monotonic = monotonic
        self._changed = changed
        self._heard: bytes | None = None
        self._telling: set[asyncio.Task[None]] = set()
        self._state = redis.key("breaker")
        self._probe = redis.key("breaker", "probe")

    @property
    def is_open(self) -> bool:
        """Whether calls are held back, but for the probe."""
        return self._here.is_open

    async def admitted(self, now: float) -> bool:
        """Whether a call may be made; of all processes one probes at a time."""
        if not self._here.admits(now):
            return False
        if not self._here.is_open:
            return True
        try:
            return bool(await self._redis.ask("breaker", self._take_probe))
        except RedisAway:
            return True

    def record(self, *, succeeded: bool, now: float) -> None:
        """Takes in how a call ended, and tells the others when that changes anything."""
        before = self._here.opened_at
        self._here.record(succeeded=succeeded, now=now)
        if self._here.opened_at != before:
            self._tell(_OPEN if self._here.is_open else _CLOSED)

    def withdraw(self) -> None:
        """Takes back a call that says nothing of the service; a probe may be made again at once."""
        was_open = self._here.is_open
        self._here.withdraw()
        if was_open:
            self._in_background(self._release())

    async def run(self) -> None:
        """Hear what the others found out, until cancelled."""
        while not is_cancelled():
            await self.hear()
            await asyncio.sleep(HEAR_SECONDS)

    async def hear(self) -> None:
        """Do as the one did who changed last."""
        if self._telling:
            return  # what is heard now may be older than what is being told
        try:
            heard = await self._redis.ask("breaker", self._read)
        except RedisAway:
            return
        if heard is None or heard == self._heard or self._telling:
            return
        self._heard = heard
        shall_be_open = heard.startswith(_OPEN)
        if shall_be_open != self._here.is_open:
            self._here.set(is_open=shall_be_open, now=self._monotonic())
            self._changed(shall_be_open)
        elif shall_be_open:
            self._here.set(is_open=True, now=self._monotonic())

    async def _take_probe(self, client: Any) -> Any:
        return await client.set(self._probe, b"", nx=True, px=int(OPEN_SECONDS * 1000))

    async def _read(self, client: Any) -> bytes | None:
        found = await client.get(self._state)
        return None if found is None else bytes(found)

    def _tell(self, state: bytes) -> None:
        self._in_background(self._told(state))

    async def _told(self, state: bytes) -> None:
        keys = [self._state, self._probe]
        arguments: list[Argument] = [state, self._randomness.token(9), _KEPT_SECONDS]
        try:
            self._heard = await self._redis.evaluate("breaker", _TELL, keys, arguments, read=bytes)
        except RedisAway:
            return  # the next failed probe tells them

    async def _release(self) -> None:
        try:
            await self._redis.ask("breaker", lambda client: client.delete(self._probe))
        except RedisAway:
            return

    def _in_background(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
