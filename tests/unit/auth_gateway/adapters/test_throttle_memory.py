"""How attempts are counted and given back."""

import asyncio

from auth_gateway.adapters.throttle_memory import MemoryThrottle
from auth_gateway.core.throttle import FREE_FAILURES, LONGEST_WAIT_SECONDS, ThrottleKey, login_keys
from auth_gateway.flows.ports import Reservation

NOW = 1_700_000_000.0
ACCOUNT = ThrottleKey("account", "alice\n")
KNOWN = login_keys(username="alice", ip="198.51.100.9", known_device="d1")
UNKNOWN = login_keys(username="alice", ip="203.0.113.9", known_device=None)


def reserve(throttle: MemoryThrottle, *keys: ThrottleKey, now: float = NOW) -> Reservation:
    return asyncio.run(throttle.reserve(keys, now))


def test_free_attempts_are_counted_and_the_next_must_wait() -> None:
    """The attempt after the last free one is told how long."""
    throttle = MemoryThrottle()
    waits = [reserve(throttle, ACCOUNT).wait_seconds for _ in range(FREE_FAILURES["account"] + 1)]
    assert waits == [0.0] * FREE_FAILURES["account"] + [1.0]


def test_a_burst_cannot_outrun_its_own_count() -> None:
    """A hundred attempts sent at once are counted one by one."""
    throttle = MemoryThrottle()

    async def burst() -> list[Reservation]:
        return await asyncio.gather(*(throttle.reserve(UNKNOWN, NOW) for _ in range(100)))

    assert sum(reservation.wait_seconds == 0 for reservation in asyncio.run(burst())) == FREE_FAILURES["account"]


def test_an_attempt_that_must_wait_counts_against_nothing() -> None:
    """So the wait does not grow by asking, and the network is not charged for it."""
    throttle = MemoryThrottle()
    for _ in range(FREE_FAILURES["account"]):
        reserve(throttle, *UNKNOWN)
    first, second = (reserve(throttle, *UNKNOWN).wait_seconds for _ in range(2))
    assert first == second
    assert reserve(throttle, *UNKNOWN, now=NOW + first).wait_seconds == 0


def test_success_gives_the_attempt_back() -> None:
    """A person who logs in a hundred times is never slowed down."""
    throttle = MemoryThrottle()
    for _ in range(100):
        reservation = reserve(throttle, *KNOWN)
        assert reservation.wait_seconds == 0
        asyncio.run(throttle.refund(reservation))


def test_a_refund_of_a_waiting_attempt_gives_nothing_back() -> None:
    """It was never counted."""
    throttle = MemoryThrottle()
    for _ in range(FREE_FAILURES["account"]):
        reserve(throttle, ACCOUNT)
    waiting = reserve(throttle, ACCOUNT)
    asyncio.run(throttle.refund(waiting))
    assert reserve(throttle, ACCOUNT).wait_seconds == waiting.wait_seconds


def test_the_owner_on_a_known_device_is_not_locked_out_by_a_stranger() -> None:
    """The stranger's guesses weigh on unknown devices alone."""
    throttle = MemoryThrottle()
    for second in range(10_000):
        reserve(throttle, *UNKNOWN, now=NOW + second)
    assert reserve(throttle, *UNKNOWN, now=NOW + 10_000).wait_seconds > 0
    assert reserve(throttle, *KNOWN, now=NOW + 10_000).wait_seconds == 0


def test_no_wait_is_for_ever() -> None:
    """However long the attack, the longest wait ends and an attempt is let through."""
    throttle = MemoryThrottle()
    now = NOW
    for _ in range(60):
        wait = reserve(throttle, ACCOUNT, now=now).wait_seconds
        assert wait <= LONGEST_WAIT_SECONDS
        now += wait
    assert reserve(throttle, ACCOUNT, now=now + LONGEST_WAIT_SECONDS).wait_seconds == 0


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
