"""How attempts are counted and given back, in memory and in Redis alike, and what a loss of Redis forgives."""

import asyncio
import random
from collections.abc import Iterator
from typing import TypeVar

import pytest

from auth_gateway.adapters.throttle_memory import MemoryThrottle
from auth_gateway.adapters.throttle_redis import RedisThrottle
from auth_gateway.core.throttle import FREE_FAILURES, LONGEST_WAIT_SECONDS, ThrottleKey, login_keys
from auth_gateway.flows.ports import Reservation, Throttle
from plumbing.randomness import SystemRandomness
from plumbing.redis_client import SharedRedis
from tests.redis_server import Server

NOW = 1_700_000_000.0
ACCOUNT = ThrottleKey("account", "alice\n")
KNOWN = login_keys(username="alice", ip="198.51.100.9", known_device="d1")
UNKNOWN = login_keys(username="alice", ip="203.0.113.9", known_device=None)
T = TypeVar("T")


class Counting:
    """One throttle on a loop of its own, whose clock is the test's."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self.run = runner.run
        self.now = NOW
        self.held_up: list[str] = []
        self.throttle: Throttle = MemoryThrottle(held_up=self.held_up.append)
        self.redis: SharedRedis | None = None

    def through(self, redis: Server) -> "Counting":
        """The same through that server."""

        async def opened() -> SharedRedis:
            shared = SharedRedis(redis.url, service="gw", randomness=SystemRandomness())
            await shared.look()
            return shared

        self.redis = self.run(opened())
        self.throttle = RedisThrottle(self.redis, key=b"k" * 32, held_up=self.held_up.append, clock=lambda: self.now)
        return self

    def reserve(self, *keys: ThrottleKey, now: float = NOW) -> Reservation:
        self.now = now
        return self.run(self.throttle.reserve(keys, now))

    def refund(self, reservation: Reservation) -> None:
        self.run(self.throttle.refund(reservation))

    def look(self) -> None:
        assert self.redis is not None
        self.run(self.redis.look())

    def let_through(self, *keys: ThrottleKey, of: int = 12) -> int:
        """How many of so many attempts at once need not wait."""
        return sum(self.reserve(*keys, now=self.now).wait_seconds == 0 for _ in range(of))


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def in_memory(runner: asyncio.Runner) -> Counting:
    return Counting(runner)


@pytest.fixture
def shared(runner: asyncio.Runner, redis: Server) -> Iterator[Counting]:
    counting = Counting(runner).through(redis)
    yield counting
    assert counting.redis is not None
    runner.run(counting.redis.close())


@pytest.fixture
def another(runner: asyncio.Runner, redis: Server) -> Iterator[Counting]:
    """Another process's."""
    counting = Counting(runner).through(redis)
    yield counting
    assert counting.redis is not None
    runner.run(counting.redis.close())


@pytest.fixture(params=["in_memory", "shared"])
def counting(request: pytest.FixtureRequest) -> Counting:
    """Each kind in turn."""
    found: Counting = request.getfixturevalue(request.param)
    return found


def test_free_attempts_are_counted_and_the_next_must_wait(counting: Counting) -> None:
    """The attempt after the last free one is told how long."""
    waits = [counting.reserve(ACCOUNT).wait_seconds for _ in range(FREE_FAILURES["account"] + 1)]
    assert waits == [0.0] * FREE_FAILURES["account"] + [1.0]


def test_a_burst_cannot_outrun_its_own_count(counting: Counting) -> None:
    """Sixty attempts sent at once are counted one by one."""

    async def burst() -> list[Reservation]:
        return await asyncio.gather(*(counting.throttle.reserve(UNKNOWN, NOW) for _ in range(60)))

    assert sum(reservation.wait_seconds == 0 for reservation in counting.run(burst())) == FREE_FAILURES["account"]


def test_an_attempt_that_must_wait_counts_against_nothing(counting: Counting) -> None:
    """So the wait does not grow by asking, and the network is not charged for it."""
    for _ in range(FREE_FAILURES["account"]):
        counting.reserve(*UNKNOWN)
    first, second = (counting.reserve(*UNKNOWN).wait_seconds for _ in range(2))
    assert first == second
    assert counting.reserve(*UNKNOWN, now=NOW + first).wait_seconds == 0


def test_success_gives_the_attempt_back(counting: Counting) -> None:
    """A person who logs in again and again is never slowed down."""
    for _ in range(60):
        reservation = counting.reserve(*KNOWN)
        assert reservation.wait_seconds == 0
        counting.refund(reservation)


def test_a_refund_of_a_waiting_attempt_gives_nothing_back(counting: Counting) -> None:
    """It was never counted."""
    for _ in range(FREE_FAILURES["account"]):
        counting.reserve(ACCOUNT)
    waiting = counting.reserve(ACCOUNT)
    counting.refund(waiting)
    assert counting.reserve(ACCOUNT).wait_seconds == waiting.wait_seconds


def test_the_owner_on_a_known_device_is_not_locked_out_by_a_stranger(counting: Counting) -> None:
    """The stranger's guesses weigh on unknown devices alone."""
    for second in range(500):
        counting.reserve(*UNKNOWN, now=NOW + second)
    assert counting.reserve(*UNKNOWN, now=NOW + 500).wait_seconds > 0
    assert counting.reserve(*KNOWN, now=NOW + 500).wait_seconds == 0


def test_no_wait_is_for_ever(counting: Counting) -> None:
    """However long the attack, the longest wait ends and an attempt is let through."""
    now = NOW
    for _ in range(60):
        wait = counting.reserve(ACCOUNT, now=now).wait_seconds
        assert wait <= LONGEST_WAIT_SECONDS
        now += wait
    assert counting.reserve(ACCOUNT, now=now + LONGEST_WAIT_SECONDS).wait_seconds == 0


def test_both_kinds_say_the_same_to_the_same_questions(runner: asyncio.Runner, shared: Counting, is_long: bool) -> None:
    """What is counted, given back and waited for is one arithmetic, wherever it is done."""
    chance = random.Random(7)
    scopes = ("account", "network", "prompt", "mailbox")
    keys = [ThrottleKey(scope, name) for scope in scopes for name in "ab"]  # type: ignore[arg-type] # they are scopes
    in_memory, now, taken = Counting(runner), NOW, []
    for _ in range(4000 if is_long else 400):
        now += chance.choice((0.0, 0.0, 0.1, 1.0, 7.0, 300.0, 2000.0))
        if taken and chance.random() < 0.3:
            pair = taken.pop(chance.randrange(len(taken)))
            in_memory.refund(pair[0])
            shared.now = now
            shared.refund(pair[1])
            continue
        some = chance.sample(keys, chance.randint(1, 3))
        pair = in_memory.reserve(*some, now=now), shared.reserve(*some, now=now)
        assert pair[0].wait_seconds == pytest.approx(pair[1].wait_seconds, abs=1e-5)
        taken.append(pair)
    assert in_memory.held_up == shared.held_up


def test_processes_count_together(shared: Counting, another: Counting) -> None:
    """What is guessed here weighs there, and is given back from there."""
    first = shared.reserve(ACCOUNT)
    for _ in range(FREE_FAILURES["account"] - 1):
        another.reserve(ACCOUNT)
    assert shared.reserve(ACCOUNT).wait_seconds == another.reserve(ACCOUNT).wait_seconds == 1.0
    another.refund(first)
    assert shared.reserve(ACCOUNT).wait_seconds == 0


def test_time_is_told_by_redis(runner: asyncio.Runner, redis: Server) -> None:
    """A process whose clock is years off neither forgives sooner nor makes the others wait longer."""
    shared = Counting(runner).through(redis)
    assert shared.redis is not None
    shared.throttle = RedisThrottle(shared.redis, key=b"k" * 32, held_up=shared.held_up.append)
    # One more than at one instant: a failure weighs a little less a moment later.
    for off in (0.0, 1e8, -1e8, 5e8, 0.0, 1.0):
        assert shared.reserve(ACCOUNT, now=NOW + off).wait_seconds == 0
    assert 0 < shared.reserve(ACCOUNT, now=NOW + 1e9).wait_seconds <= 2
    runner.run(shared.redis.close())


def test_redis_holds_no_names_and_nothing_for_ever(shared: Counting, redis: Server) -> None:
    """Whoever reads it learns neither who logs in nor from where; each key ends by itself."""
    shared.reserve(*UNKNOWN)
    found = redis.ask("KEYS", "riskgate:gw:throttle:*")
    assert len(found) == 2
    assert not any(b"alice" in key or b"203.0.113" in key for key in found)
    assert all(0 < redis.ask("TTL", key) <= 1800 + LONGEST_WAIT_SECONDS + 1 for key in found)


def test_without_redis_each_process_lets_its_share_through(shared: Counting, another: Counting, redis: Server) -> None:
    """Two of them together let through less than the limit, never more."""
    shared.look()
    redis.kill()
    assert shared.let_through(ACCOUNT) == another.let_through(ACCOUNT) == FREE_FAILURES["account"] // 2


def test_the_loss_of_redis_gives_nobody_new_guesses(shared: Counting, another: Counting, redis: Server) -> None:
    """What Redis said last weighs on in each process that heard it."""
    for _ in range(FREE_FAILURES["account"] - 1):
        shared.reserve(ACCOUNT)
    another.reserve(ACCOUNT)
    redis.kill()
    assert another.reserve(ACCOUNT).wait_seconds > 0


def test_what_was_counted_meanwhile_weighs_when_redis_is_back(
    shared: Counting, another: Counting, redis: Server
) -> None:
    """Redis comes back as it was: the guesses of the outage are not forgiven by its end."""
    shared.reserve(ACCOUNT)
    redis.freeze()
    for _ in range(3):
        shared.look()
    assert shared.let_through(ACCOUNT) == 1
    redis.thaw()
    shared.look()
    assert shared.let_through(ACCOUNT) == another.let_through(ACCOUNT) + 3 == 3


def test_a_redis_that_comes_back_empty_is_told_what_it_forgot(
    shared: Counting, another: Counting, redis: Server
) -> None:
    """Whoever saw the count brings it along, once; refunds elsewhere are not undone by an old copy."""
    for _ in range(FREE_FAILURES["account"]):
        shared.reserve(ACCOUNT)
    redis.kill()
    redis.start()
    shared.look()
    shared.look()
    assert shared.reserve(ACCOUNT).wait_seconds > 0
    assert another.reserve(ACCOUNT).wait_seconds > 0


def test_an_attempt_that_redis_did_not_count_is_given_back_once(shared: Counting, redis: Server) -> None:
    """Counted while Redis was away, given back when it is there: as if nothing had been."""
    redis.freeze()
    for _ in range(3):
        shared.look()
    reservation = shared.reserve(ACCOUNT)
    redis.thaw()
    shared.look()
    shared.refund(reservation)
    assert shared.let_through(ACCOUNT) == FREE_FAILURES["account"]
