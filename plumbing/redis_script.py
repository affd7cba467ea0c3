"""Steps that Redis takes at once, with nobody in between: scripts, named by what they say."""

from hashlib import sha1
from typing import Final

Argument = str | bytes | int | float


class Script:
    """A script that Redis may or may not have seen yet."""

    __slots__ = ("sha", "text")

    def __init__(self, text: str) -> None:
        self.text: Final = text
        self.sha: Final = sha1(text.encode(), usedforsecurity=False).hexdigest()


PRESENCE: Final = Script("""
-- KEYS: who is there, which count this is.  ARGV: my name, seconds that I count, a name for a new count.
local t = redis.call('TIME')
local now = t[1] + t[2] / 1000000
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('EXPIRE', KEYS[1], 3600)
redis.call('SET', KEYS[2], ARGV[3], 'NX')
return redis.call('ZCARD', KEYS[1])
""")
"""Says that this process is there, and gives how many are. It writes: whoever cannot write cannot count."""
