"""What one process finds out about the scorer, the others know."""

import asyncio
from collections.abc import Iterator

import pytest

from auth_gateway.adapters.breaker import CONSECUTIVE_FAILURES, OPEN_SECONDS
from auth_gateway.adapters.breaker_redis import SharedBreaker
from plumbing.clock import FixedClock
from plumbing.randomness import SystemRandomness
from plumbing.redis_client import SharedRedis
from tests.redis_server import Server


class Process:
    """One process's breaker."""

    def __init__(self, url: str, clock: FixedClock) -> None:
        self.redis = SharedRedis(url, service="gw", randomness=SystemRandomness())
        self.changes: list[bool] = []
        self.clock = clock
        self.breaker = SharedBreaker(
            self.redis, randomness=SystemRandomness(), monotonic=clock.monotonic, changed=self.changes.append
        )

    async def fails(self, times: int = 1) -> None:
        """So many calls fail; what that changes is told."""
        for _ in range(times):
            self.breaker.record(succeeded=False, now=self.clock.monotonic())
        await self.told()

    async def succeeds(self) -> None:
        """A call succeeds."""
        self.breaker.record(succeeded=True, now=self.clock.monotonic())
        await self.told()

    async def told(self) -> None:
        while self.breaker._telling:
            await asyncio.gather(*self.breaker._telling)

    async def admitted(self) -> bool:
        return await self.breaker.admitted(self.clock.monotonic())


Pair = tuple[asyncio.Runner, Process, Process, FixedClock]


@pytest.fixture
def pair(redis: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    for patience in (
        "redis_client.CALL_SECONDS",
        "redis_health.CALL_SECONDS",
        "redis_health.CONNECT_SECONDS",
        "redis_health.COMMAND_SECONDS",
    ):
        monkeypatch.setattr(f"plumbing.{patience}", 5.0)  # a busy machine is no lost Redis
    clock = FixedClock(0.0)
    with asyncio.Runner() as runner:

        async def opened() -> tuple[Process, Process]:
            return Process(redis.url, clock), Process(redis.url, clock)

        one, other = runner.run(opened())
        yield runner, one, other, clock
        for process in (one, other):
            runner.run(process.told())
            runner.run(process.redis.close())


def test_one_opens_it_for_all(pair: Pair) -> None:
    """The other does not have to fail by itself first, and its metrics tell; one failure less tells nobody anything."""
    runner, one, other, _ = pair
    runner.run(one.fails(CONSECUTIVE_FAILURES - 1))
    runner.run(other.breaker.hear())
    assert runner.run(other.admitted())
    runner.run(one.fails())
    runner.run(other.breaker.hear())
    assert not runner.run(other.admitted())
    assert (one.changes, other.changes) == ([], [True])


def test_one_process_probes_at_a_time(pair: Pair) -> None:
    """The other goes on without a score until it is told, and then knows."""
    runner, one, other, clock = pair
    runner.run(one.fails(CONSECUTIVE_FAILURES))
    runner.run(other.breaker.hear())
    clock.advance(OPEN_SECONDS)
    assert [runner.run(one.admitted()), runner.run(other.admitted())] == [True, False]
    runner.run(one.succeeds())
    runner.run(other.breaker.hear())
    assert runner.run(other.admitted())
    assert other.changes == [True, False]


def test_a_failed_probe_holds_all_back_for_another_while(pair: Pair) -> None:
    """And the next one may be made by either."""
    runner, one, other, clock = pair
    runner.run(one.fails(CONSECUTIVE_FAILURES))
    runner.run(other.breaker.hear())
    clock.advance(OPEN_SECONDS)
    assert runner.run(one.admitted())
    runner.run(one.fails())
    runner.run(other.breaker.hear())
    clock.advance(OPEN_SECONDS - 0.1)
    assert not runner.run(other.admitted())
    clock.advance(0.1)
    assert runner.run(other.admitted())


def test_a_probe_that_says_nothing_of_the_scorer_may_be_made_again_at_once(pair: Pair) -> None:
    """By anybody."""
    runner, one, other, clock = pair
    runner.run(one.fails(CONSECUTIVE_FAILURES))
    runner.run(other.breaker.hear())
    clock.advance(OPEN_SECONDS)

    async def withdrawn() -> bool:
        assert await one.admitted()
        one.breaker.withdraw()
        await one.told()
        return await other.admitted()

    assert runner.run(withdrawn())


def test_without_redis_each_has_its_own(pair: Pair, redis: Server) -> None:
    """It opens, probes and closes as it would alone; what is told when Redis is back empty is believed."""
    runner, one, other, clock = pair
    redis.kill()
    runner.run(one.fails(CONSECUTIVE_FAILURES))
    runner.run(other.breaker.hear())
    assert [runner.run(one.admitted()), runner.run(other.admitted())] == [False, True]
    clock.advance(OPEN_SECONDS)
    assert runner.run(one.admitted())
    redis.start()
    runner.run(one.redis.look())
    runner.run(other.redis.look())
    runner.run(one.fails())
    runner.run(other.breaker.hear())
    assert not runner.run(other.admitted())
