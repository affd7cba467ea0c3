"""Whether Redis is asked now: a breaker that costs nobody a wait while Redis is away, since a background look alone
finds out that it is back. Knows nothing of who asks.

Fails to `RedisAway`: whoever asks has something of its own to go on with, and says what.
"""

from typing import Any, Final, Protocol

import structlog
from redis import exceptions

CONNECT_SECONDS: Final = 0.1
COMMAND_SECONDS: Final = 0.05
CALL_SECONDS: Final = CONNECT_SECONDS + COMMAND_SECONDS
"""Around everything, so that a drip of bytes cannot stretch it."""
LOOK_SECONDS: Final = 1.0
"""Between two looks at whether Redis is there."""
LATE_SECONDS: Final = 0.05
"""A time limit that rings later than this rang late because this process was busy."""
STRIKES: Final = 3.0
"""So many calls in a row that run out of time are an outage; a refusal or a lost connection is one by itself."""
LATE_STRIKE: Final = 0.25

UNREACHABLE: Final = "redis_unreachable"
TIMEOUT: Final = "redis_timeout"
GARBLED: Final = "redis_garbled"
REFUSED: Final = "redis_refused"
_NAMED: Final[tuple[tuple[type[Exception], str], ...]] = (
    (exceptions.AuthenticationError, "redis_not_authenticated"),
    (exceptions.BusyLoadingError, "redis_loading"),
    (exceptions.NoPermissionError, "redis_not_permitted"),
    (exceptions.ReadOnlyError, "redis_read_only"),
    (exceptions.OutOfMemoryError, "redis_out_of_memory"),
    (exceptions.InvalidResponse, GARBLED),
    (exceptions.TimeoutError, TIMEOUT),
    (TimeoutError, TIMEOUT),
)
_SAID: Final = {
    "NOAUTH": "redis_not_authenticated",
    "WRONGPASS": "redis_not_authenticated",
    "NOPERM": "redis_not_permitted",
    "READONLY": "redis_read_only",
    "LOADING": "redis_loading",
    "MASTERDOWN": "redis_read_only",
    "MISCONF": "redis_not_writable",
    "NOREPLICAS": "redis_not_writable",
    "OOM": "redis_out_of_memory",
    "BUSY": "redis_busy",
    "UNKILLABLE": "redis_busy",
    "CLUSTERDOWN": "redis_cluster",
    "CROSSSLOT": "redis_cluster",
    "MOVED": "redis_cluster",
}
MEANT: Final = (exceptions.RedisError, OSError, TimeoutError)
"""What the client raises when Redis does not do what was asked."""
UNREADABLE: Final = (ValueError, TypeError, IndexError, KeyError, AttributeError, ArithmeticError, RecursionError)
"""What comes of an answer that is no answer to the question."""

log = structlog.get_logger("plumbing.redis")


class RedisAway(Exception):
    """Redis is not asked, or did not answer; `code` says why and is safe to show."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class RedisWatch(Protocol):
    """Whoever wants to know how Redis fares."""

    def answered(self, use: str, seconds: float) -> None:
        """It answered, after that long."""
        ...

    def fell_back(self, use: str, cause: str) -> None:
        """Somebody has to do without it."""
        ...

    def changed(self, problem: str | None) -> None:
        """It is away for this reason, or back."""
        ...


class Unwatched:
    """Nobody wants to know."""

    def answered(self, use: str, seconds: float) -> None:
        pass

    def fell_back(self, use: str, cause: str) -> None:
        pass

    def changed(self, problem: str | None) -> None:
        pass


class RedisHealth:
    """Until the first failure Redis is taken to be there."""

    def __init__(self, watch: RedisWatch | None = None) -> None:
        self._watch = watch or Unwatched()
        self._strikes = 0.0
        self.problem: str | None = None
        """Why Redis is not asked now, as a stable code; None while it is."""

    def admit(self, use: str) -> None:
        """Raises: RedisAway while Redis is known to be away."""
        if self.problem is not None:
            self._watch.fell_back(use, self.problem)
            raise RedisAway(self.problem)

    def answered(self, use: str, seconds: float) -> None:
        """A call was answered; whether Redis is back is for the look to say."""
        self._strikes = 0.0
        self._watch.answered(use, seconds)

    def failed(self, use: str, error: BaseException, seconds: float) -> RedisAway:
        """Takes in how a call failed after that long, and gives what its caller is told."""
        code = problem_of(error)
        self._strike(code, seconds)
        self._watch.fell_back(use, code)
        return RedisAway(code)

    def seen(self, error: BaseException | None, seconds: float = 0.0) -> None:
        """Takes in a look at Redis, which alone brings it back."""
        if error is not None:
            self._strike(problem_of(error), seconds)
            return
        self._strikes = 0.0
        self._change(None)

    def _strike(self, code: str, seconds: float) -> None:
        if code == REFUSED:
            return  # it answered; what we asked was wrong
        if code == TIMEOUT and self.problem is None:
            self._strikes += LATE_STRIKE if seconds > CALL_SECONDS + LATE_SECONDS else 1.0
            if self._strikes < STRIKES:
                return
        self._change(code)

    def _change(self, problem: str | None) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        log.warning("redis_changed", problem=problem)
        self._watch.changed(problem)


def problem_of(error: BaseException) -> str:
    """The stable code of a failure; nothing of what was asked or answered."""
    for kind, code in _NAMED:
        if isinstance(error, kind):
            return code
    if isinstance(error, exceptions.ResponseError):
        # The client cuts the code off from those it knows, and leaves it in front of the rest.
        return _SAID.get(str(error).partition(" ")[0], REFUSED)
    return UNREACHABLE if isinstance(error, exceptions.ConnectionError | OSError) else GARBLED


def limits() -> dict[str, Any]:
    """How a connection is held: short waits, nothing tried twice, nothing said that was not asked for."""
    return {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": COMMAND_SECONDS,
        "health_check_interval": 0,
        "driver_info": None,
        "protocol": 2,
    }
