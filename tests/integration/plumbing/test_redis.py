"""What each sort of trouble with a real Redis, or with what answers in its place, costs who asks."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import perf_counter

import pytest

from plumbing.metrics import Meters
from plumbing.randomness import SystemRandomness
from plumbing.redis_client import SharedRedis
from plumbing.redis_health import CALL_SECONDS, RedisAway
from plumbing.redis_meters import RedisMeters
from plumbing.redis_script import Script
from plumbing.redis_threads import ThreadedRedis
from tests.redis_impostor import impostor
from tests.redis_server import Server

COUNT = Script("return redis.call('INCR', KEYS[1])")


@asynccontextmanager
async def opened(url: str, meters: Meters | None = None) -> AsyncIterator[SharedRedis]:
    watch = RedisMeters(meters) if meters else None
    shared = SharedRedis(url, service="gw", randomness=SystemRandomness(), watch=watch)
    try:
        yield shared
    finally:
        await shared.close()


@contextmanager
def threaded(url: str) -> Iterator[ThreadedRedis]:
    shared = ThreadedRedis(url, service="sc")
    try:
        yield shared
    finally:
        shared.close()


async def counted(shared: SharedRedis) -> int:
    return await shared.evaluate("test", COUNT, [shared.key("n")], [], read=int)


def counted_in_thread(shared: ThreadedRedis) -> int:
    return shared.evaluate("test", COUNT, [shared.key("n")], [], read=int)


def test_a_script_that_redis_forgot_is_given_to_it_again(redis: Server) -> None:
    """It counts once, whether or not Redis knows the script; each service's keys are its own."""

    async def run() -> list[int]:
        async with opened(redis.url) as shared:
            first = [await counted(shared), await counted(shared)]
            redis.ask("SCRIPT", "FLUSH")
            return [*first, await counted(shared)]

    assert asyncio.run(run()) == [1, 2, 3]
    with threaded(redis.url) as shared:
        assert counted_in_thread(shared) == 1
        redis.ask("SCRIPT", "FLUSH")
        assert counted_in_thread(shared) == 2
    assert {key for key in redis.ask("KEYS", "*") if b":n" in key} == {b"riskgate:gw:n", b"riskgate:sc:n"}


def test_processes_know_how_many_they_are(redis: Server) -> None:
    """One that leaves is not counted any more."""

    async def run() -> list[int]:
        async with opened(redis.url) as first:
            async with opened(redis.url) as second:
                await first.look()
                await second.look()
                found = [first.processes, second.processes]
            await first.look()
            return [*found, first.processes]

    assert asyncio.run(run()) == [1, 2, 1]


def test_a_redis_that_hangs_costs_three_calls_their_time_and_nobody_else_any(redis: Server) -> None:
    """Then a look alone finds out that it answers again."""

    async def run() -> None:
        async with opened(redis.url) as shared:
            assert await counted(shared) == 1
            redis.freeze()
            for _ in range(3):
                with pytest.raises(RedisAway, match="redis_timeout"):
                    await counted(shared)
            began = perf_counter()
            for _ in range(100):
                with pytest.raises(RedisAway, match="redis_timeout"):
                    await counted(shared)
            assert perf_counter() - began < CALL_SECONDS
            await shared.look()
            assert shared.problem == "redis_timeout"
            redis.thaw()
            await shared.look()
            assert await counted(shared) >= 2

    asyncio.run(run())


def test_a_killed_redis_is_used_again_once_it_is_back(redis: Server) -> None:
    """Nothing is started anew for it; what it counted is gone."""

    async def run() -> None:
        async with opened(redis.url) as shared:
            assert await counted(shared) == 1
            redis.kill()
            with pytest.raises(RedisAway):
                await counted(shared)
            await shared.look()
            assert shared.problem == "redis_unreachable"
            redis.start()
            await shared.look()
            assert await counted(shared) == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "redis_loading"),
        (b"-NOAUTH Authentication required.\r\n", "redis_not_authenticated"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "redis_garbled"),
        (b"\x00\xff\x00\xff\r\n", "redis_garbled"),
        (b"$999999999\r\nx", "redis_timeout"),
        (b"*1\r\n" * 5000, "redis_garbled"),
        (b"+OK\r\n", "redis_garbled"),
        (b"$-1\r\n", "redis_garbled"),
        (b"", "redis_timeout"),
    ],
    ids=["loading", "no-password", "http", "noise", "half-an-answer", "nested", "wrong-kind", "nothing", "silence"],
)
def test_what_answers_in_its_place_is_never_believed(said: bytes, code: str) -> None:
    """Whoever asks is told that Redis is away, in time, by either client."""

    async def run(url: str) -> tuple[str | None, str]:
        async with opened(url) as shared:
            for _ in range(3):
                await shared.look()
            with pytest.raises(RedisAway) as away:
                await counted(shared)
            return shared.problem, away.value.code

    with impostor(said) as url:
        assert asyncio.run(run(url)) == (code, code)
        with threaded(url) as shared:
            for _ in range(3):
                shared.look()
            # A write that is answered with OK is one to it, whoever answers.
            assert shared.problem == (None if said == b"+OK\r\n" else code)
            with pytest.raises(RedisAway, match=code):
                counted_in_thread(shared)


def test_a_redis_that_takes_no_writes_is_away(redis: Server) -> None:
    """A replica, and one without room: who only reads would not notice."""

    async def run() -> list[str | None]:
        seen: list[str | None] = []
        async with opened(redis.url) as shared:
            redis.ask("REPLICAOF", "127.0.0.1", "1")
            await shared.look()
            seen.append(shared.problem)
            redis.ask("REPLICAOF", "NO", "ONE")
            redis.ask("CONFIG", "SET", "maxmemory", "1")
            await shared.look()
            seen.append(shared.problem)
            redis.ask("CONFIG", "SET", "maxmemory", "0")
            await shared.look()
            return [*seen, shared.problem]

    assert asyncio.run(run()) == ["redis_read_only", "redis_out_of_memory", None]


def test_a_wrong_password_is_told_and_never_shown(redis: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """The log names the trouble and nothing of the address."""

    async def run() -> str | None:
        async with opened(redis.url.replace("a-password", "another-password")) as shared:
            await shared.look()
            return shared.problem

    assert asyncio.run(run()) == "redis_not_authenticated"
    assert "another-password" not in "".join(capsys.readouterr())


def test_metrics_tell_that_redis_is_away_and_what_that_costs(redis: Server) -> None:
    """Whether it is, who had to do without, why, and how long answers take."""
    meters = Meters()

    async def run() -> str:
        async with opened(redis.url, meters) as shared:
            await counted(shared)
            redis.kill()
            for _ in range(2):
                with pytest.raises(RedisAway):
                    await counted(shared)
            return meters.exposition().decode()

    told = asyncio.run(run())
    assert "riskgate_redis_away 1.0" in told
    assert 'riskgate_redis_seconds_count{use="test"} 1.0' in told
    assert 'riskgate_redis_fallbacks_total{cause="redis_unreachable",use="test"} 2.0' in told


def test_more_callers_than_connections_all_get_an_answer(redis: Server) -> None:
    """They wait their turn, which says nothing of Redis: a crowd is no outage."""

    async def run() -> tuple[list[int | BaseException], str | None]:
        async with opened(redis.url) as shared:
            answers = await asyncio.gather(*(counted(shared) for _ in range(60)), return_exceptions=True)
            return answers, shared.problem

    answers, problem = asyncio.run(run())
    assert problem is None
    assert len(set(answers)) == 60


def test_the_thread_of_its_own_finds_out(redis: Server) -> None:
    """Nobody has to ask for it to be noticed."""
    with threaded(redis.url) as shared:
        shared.start()
        redis.kill()
        waits = threading.Event()
        for _ in range(300):
            if shared.problem is not None:
                break
            waits.wait(0.02)
        assert shared.problem == "redis_unreachable"
        with pytest.raises(RedisAway):
            counted_in_thread(shared)
        redis.start()
        for _ in range(300):
            if shared.problem is None:
                break
            waits.wait(0.02)
        assert counted_in_thread(shared) == 1
