"""Histories that scorers share by a real Redis: found there, believed only when they are what is committed, and missed
by nobody when Redis is away."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from time import perf_counter
from typing import Any

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.redis_health import CALL_SECONDS
from plumbing.redis_threads import ThreadedRedis
from risk_scorer.adapters.history_rows import kept_of
from risk_scorer.adapters.hot_histories import HotHistories
from risk_scorer.adapters.profile_store import ProfileStore
from risk_scorer.adapters.shared_histories import KEPT_SECONDS, RedisCopies
from risk_scorer.adapters.storage import open_database
from risk_scorer.core.history import EMPTY, UserHistory, encode, learn_taught
from risk_scorer.core.lessons import taught_by
from risk_scorer.flows.ports import Lesson
from tests.integration.risk_scorer.observations import NOW, observation
from tests.postgresql import Server
from tests.redis_impostor import impostor
from tests.redis_server import Server as RedisServer

pytestmark = pytest.mark.anyio
KEY = "riskgate:sc:history:alice"


class Scorer:
    """What one scorer looks histories up by."""

    def __init__(self, database: Database, url: str) -> None:
        self.redis = ThreadedRedis(url, service="sc")
        self.hot = HotHistories(most=3, shared=RedisCopies(self.redis))
        self.store = ProfileStore(database, clock=FixedClock(NOW), cached_users=0, hot=self.hot)

    async def learn(self, event_id: str, user: str = "alice") -> None:
        seen = observation(user_id=user, device_id=event_id)
        assert await self.store.learn([Lesson(event_id=event_id, observation=seen, outcome="success")]) == 1

    def alice(self) -> UserHistory | None:
        [found] = self.store.get_many(["alice"])
        return found


@pytest.fixture
def database(postgresql_server: Server) -> Iterator[Database]:
    """On PostgreSQL, empty."""
    url = postgresql_server.kept("scorer", lambda new: open_database(new).close())
    opened = open_database(url)
    yield opened
    opened.close()
    postgresql_server.empty(url)


@pytest.fixture
def scorer(database: Database, redis: RedisServer) -> Iterator[Callable[[], Scorer]]:
    """Makes a scorer that has just started."""
    with ExitStack() as stack:

        def start(url: str = redis.url) -> Scorer:
            found = Scorer(database, url)
            stack.callback(found.redis.close)
            return found

        yield start


def committed(database: Database) -> UserHistory | None:
    return database.read(lambda tx: kept_of(tx, ["alice"]))["alice"].history


async def test_what_one_has_learned_the_other_finds_in_redis(scorer: Any, database: Database) -> None:
    """Also what it has only read; the next time it is in memory."""
    here, there, third = scorer(), scorer(), scorer()
    await here.learn("first")
    assert there.alice() == there.alice() == committed(database)
    assert (there.hot.found["redis"], there.hot.found["memory"]) == (1, 1)
    await here.learn("second")
    assert there.alice() == third.alice() == committed(database)
    assert (there.hot.found["database"], third.hot.found["redis"]) == (1, 1)
    assert committed(database) != EMPTY


async def test_a_copy_goes_by_itself_and_with_its_person(scorer: Any, redis: RedisServer) -> None:
    """Within the hour, or at once when the person is erased."""
    here = scorer()
    await here.learn("first")
    assert 0 < redis.ask("TTL", KEY) <= KEPT_SECONDS
    here.store.forget("alice")
    assert redis.ask("EXISTS", KEY) == 0


@pytest.mark.parametrize(
    "planted",
    [
        b"",
        b"\x00garbage",
        encode(EMPTY),
        encode(learn_taught(EMPTY, taught_by(observation(device_id="thiefs"), "success"))),
        None,
    ],
    ids=["empty", "garbage", "stranger", "thiefs", "of-another-kind"],
)
async def test_nobody_is_made_familiar_or_strange_by_what_stands_in_redis(
    scorer: Any, database: Database, redis: RedisServer, planted: bytes | None
) -> None:
    """Whoever can write there, and whatever was left there, changes no history."""
    await scorer().learn("first")
    if planted is None:
        redis.ask("DEL", KEY)
        redis.ask("LPUSH", KEY, "x")
    else:
        redis.ask("SET", KEY, planted)
    there = scorer()
    assert there.alice() == committed(database)
    assert there.hot.found["database"] == 1


async def test_a_write_that_redis_lost_leaves_nothing_old(scorer: Any, database: Database, redis: RedisServer) -> None:
    """It was away for one lesson, came back with what it had before, and nobody is told of the past."""
    here = scorer()
    await here.learn("first")
    old = redis.ask("GET", KEY)
    redis.kill()
    await here.learn("second")
    redis.start()
    redis.ask("SET", KEY, old)
    there = scorer()
    assert there.alice() == committed(database)
    assert there.alice() is not None
    assert there.alice().logins == 2


@pytest.mark.parametrize("trouble", ["killed", "frozen", "garbled"])
async def test_without_redis_the_database_answers_and_nobody_waits_again(
    scorer: Any, database: Database, redis: RedisServer, trouble: str
) -> None:
    """The first look-ups may wait a moment; once it is noticed nothing asks Redis, and it is back after a look."""
    await scorer().learn("first")
    with ExitStack() as stack:
        here = scorer() if trouble != "garbled" else scorer(stack.enter_context(impostor(b"?what\r\n")))
        if trouble == "killed":
            redis.kill()
        elif trouble == "frozen":
            redis.freeze()
            stack.callback(redis.thaw)
        began = perf_counter()
        for _ in range(4):
            here.hot._own.clear()
            assert here.alice() == committed(database)
        assert perf_counter() - began < 4 * CALL_SECONDS + 2.0  # four times what is waited for, and a busy machine
        assert here.redis.problem is not None
        assert here.hot.found["database"] == 4
    if trouble == "garbled":
        return
    if trouble == "killed":
        redis.start()
    here.redis.look()
    assert here.redis.problem is None
