"""When the breaker holds calls back."""

import pytest

from auth_gateway.adapters.breaker import CONSECUTIVE_FAILURES, OPEN_SECONDS, WINDOW, CircuitBreaker


def opened_at(now: float) -> CircuitBreaker:
    breaker = CircuitBreaker()
    for _ in range(CONSECUTIVE_FAILURES):
        breaker.record(succeeded=False, now=now)
    return breaker


@pytest.mark.parametrize(("failures", "is_open"), [(CONSECUTIVE_FAILURES - 1, False), (CONSECUTIVE_FAILURES, True)])
def test_five_failures_in_a_row_open_it(failures: int, is_open: bool) -> None:
    """One fewer does not."""
    breaker = CircuitBreaker()
    for _ in range(failures):
        breaker.record(succeeded=False, now=0)
    assert breaker.is_open is is_open
    assert breaker.admits(0) is not is_open


@pytest.mark.parametrize(("pattern", "is_open"), [("XO", True), ("XOO", False)])
def test_a_service_that_fails_half_the_time_opens_it(pattern: str, is_open: bool) -> None:
    """Never five in a row, but each call makes the drowning service sink further."""
    breaker = CircuitBreaker()
    for sign in (pattern * WINDOW)[:WINDOW]:
        breaker.record(succeeded=sign == "O", now=0)
    assert breaker.is_open is is_open


def test_an_open_breaker_lets_one_probe_through_at_a_time() -> None:
    """Not before its time, and no second one while the first is on its way."""
    breaker = opened_at(100)
    assert not breaker.admits(100 + OPEN_SECONDS - 0.1)
    assert breaker.admits(100 + OPEN_SECONDS)
    assert not breaker.admits(100 + OPEN_SECONDS)


@pytest.mark.parametrize("succeeded", [True, False])
def test_the_probe_decides(succeeded: bool) -> None:
    """Success closes the breaker, failure opens it for another while."""
    breaker = opened_at(100)
    assert breaker.admits(105)
    breaker.record(succeeded=succeeded, now=106)
    assert breaker.admits(106) is succeeded
    assert breaker.admits(106 + OPEN_SECONDS)


def test_a_probe_that_never_reports_is_replaced() -> None:
    """Its caller may have been cancelled; the service must still be tried again."""
    breaker = opened_at(100)
    assert breaker.admits(105)
    assert breaker.admits(105 + OPEN_SECONDS)


def test_news_from_before_the_opening_does_not_close_it() -> None:
    """A slow answer to an old call says nothing of now."""
    breaker = opened_at(100)
    breaker.record(succeeded=True, now=101)
    assert breaker.is_open


def test_a_call_that_says_nothing_is_not_counted_and_lets_the_next_one_probe() -> None:
    """Neither failure nor success."""
    breaker = opened_at(0)
    assert breaker.admits(OPEN_SECONDS)
    breaker.withdraw()
    assert breaker.is_open
    assert breaker.admits(OPEN_SECONDS)
    breaker.record(succeeded=True, now=OPEN_SECONDS)
    assert not breaker.is_open
