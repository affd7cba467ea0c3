"""When Redis is not asked any more, and when it is again."""

import pytest
from redis import exceptions

from plumbing.redis_health import CALL_SECONDS, LATE_SECONDS, STRIKES, RedisAway, RedisHealth, problem_of

SLOW = TimeoutError()


def test_a_lost_connection_is_an_outage_by_itself() -> None:
    """The second caller is turned away before it waits."""
    health = RedisHealth()
    assert health.failed("x", exceptions.ConnectionError("refused"), 0.01).code == "redis_unreachable"
    with pytest.raises(RedisAway, match="redis_unreachable"):
        health.admit("x")


def test_three_calls_in_a_row_that_run_out_of_time_are_an_outage() -> None:
    """One answer in between is none; the third in a row is."""
    health = RedisHealth()
    for _ in range(int(STRIKES) - 1):
        health.failed("x", SLOW, CALL_SECONDS)
    health.answered("x", 0.001)
    for _ in range(int(STRIKES) - 1):
        health.failed("x", SLOW, CALL_SECONDS)
    assert health.problem is None
    health.failed("x", SLOW, CALL_SECONDS)
    assert health.problem == "redis_timeout"


def test_time_limits_that_rang_late_count_a_quarter() -> None:
    """A busy process sees everything late; that says little of Redis, and is not believed for ever either."""
    health = RedisHealth()
    for _ in range(11):
        health.failed("x", SLOW, CALL_SECONDS + LATE_SECONDS + 0.01)
    assert health.problem is None
    health.failed("x", SLOW, CALL_SECONDS + LATE_SECONDS + 0.01)
    assert health.problem == "redis_timeout"


def test_a_look_alone_brings_it_back() -> None:
    """An answer to somebody who asked before it was away is old news."""
    health = RedisHealth()
    health.seen(exceptions.BusyLoadingError("x"))
    health.answered("x", 0.001)
    assert health.problem == "redis_loading"
    health.seen(exceptions.ReadOnlyError("x"))
    assert health.problem == "redis_read_only"
    health.seen(None)
    health.admit("x")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (exceptions.AuthenticationError("WRONGPASS x"), "redis_not_authenticated"),
        (exceptions.ResponseError("MISCONF x"), "redis_not_writable"),
        (exceptions.ResponseError("BUSY Redis is busy running a script"), "redis_busy"),
        (exceptions.OutOfMemoryError("x"), "redis_out_of_memory"),
        (exceptions.InvalidResponse("x"), "redis_garbled"),
        (exceptions.TimeoutError("x"), "redis_timeout"),
        (ValueError("x"), "redis_garbled"),
        (ConnectionResetError("x"), "redis_unreachable"),
    ],
)
def test_each_failure_has_a_code(error: Exception, code: str) -> None:
    """The code is stable, and holds nothing of what was asked or answered."""
    assert problem_of(error) == code


def test_a_refused_question_says_nothing_of_redis() -> None:
    """It answered; others may go on asking."""
    health = RedisHealth()
    assert health.failed("x", exceptions.ResponseError("ERR no such thing"), 0.001).code == "redis_refused"
    assert health.problem is None
