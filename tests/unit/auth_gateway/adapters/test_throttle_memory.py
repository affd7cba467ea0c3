"""What is forgotten first when a process counts attempts by itself."""

import asyncio

from auth_gateway.adapters.throttle_memory import MemoryThrottle
from auth_gateway.core.throttle import FREE_FAILURES, ThrottleKey
from auth_gateway.flows.ports import Reservation

NOW = 1_700_000_000.0
ACCOUNT = ThrottleKey("account", "alice\n")


def reserve(throttle: MemoryThrottle, *keys: ThrottleKey, now: float = NOW) -> Reservation:
    return asyncio.run(throttle.reserve(keys, now))


def test_one_of_several_lets_its_share_through() -> None:
    """Halves and thirds are rounded down, and nobody is left with nothing."""
    for shared_by, free in ((1, 5), (2, 2), (3, 1), (50, 1)):
        throttle = MemoryThrottle()
        reserved = [asyncio.run(throttle.reserve((ACCOUNT,), NOW, shared_by=shared_by)) for _ in range(10)]
        assert sum(reservation.wait_seconds == 0 for reservation in reserved) == free


def test_one_of_several_that_always_count_apart_lets_no_more_than_that_share_through() -> None:
    """Whoever says that there are fewer does not open it; whoever says more is heard."""
    for always, said, free in ((1, 1, 5), (2, 1, 2), (2, 5, 1), (5, 2, 1)):
        throttle = MemoryThrottle(shared_by=always)
        reserved = [asyncio.run(throttle.reserve((ACCOUNT,), NOW, shared_by=said)) for _ in range(10)]
        assert sum(reservation.wait_seconds == 0 for reservation in reserved) == free


def test_memory_is_bounded() -> None:
    """A stranger chooses the names, so their number must not matter."""
    throttle = MemoryThrottle(most_keys=10)
    for index in range(500):
        reserve(throttle, ThrottleKey("account", f"name-{index}"))
    assert len(throttle._failures) == 10


def test_the_idle_give_way_first() -> None:
    """A name that is being attacked stays counted while strangers' names come and go."""
    throttle = MemoryThrottle(most_keys=10)
    for index in range(FREE_FAILURES["account"]):
        reserve(throttle, ACCOUNT)
        for other in range(5):
            reserve(throttle, ThrottleKey("account", f"name-{index}-{other}"))
    assert reserve(throttle, ACCOUNT).wait_seconds > 0
