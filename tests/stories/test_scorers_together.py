"""Two scorers on one PostgreSQL database, with Redis and without: whichever is asked, and on whichever way, the answer
is the same, and that of one scorer on a file."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from plumbing.clock import FixedClock
from risk_scorer.watching import Watching
from tests.integration.risk_scorer.observations import observation
from tests.integration.risk_scorer.published import LOUD
from tests.integration.risk_scorer.service import EVENT, Running, running
from tests.integration.risk_scorer.test_stream_records import Taker
from tests.redis_server import Server as RedisServer

pytestmark = pytest.mark.anyio
NOW = 1_760_000_000.0


@pytest.fixture
def anyio_backend() -> str:
    """The event loop under a test marked `anyio`."""
    return "asyncio"


@pytest.fixture(params=["postgresql", "postgresql-redis"])
async def pair(
    request: pytest.FixtureRequest, tmp_path: Path, postgresql_url: str
) -> AsyncIterator[tuple[Running, Running]]:
    """Two scorers with places of their own, one database, and one credential; and a Redis that they share."""
    more = {"redis_url": request.getfixturevalue("redis").url} if request.param.endswith("redis") else {}
    async with AsyncExitStack() as stack:
        found: list[Running] = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            credential = found[0].credential if found else None
            one = running(
                tmp_path / name,
                clock=FixedClock(NOW),
                credential=credential,
                risk_scorer_database=postgresql_url,
                **more,
            )
            found.append(await stack.enter_async_context(one))
        yield found[0], found[1]


def said(answer: httpx2.Response) -> Any:
    assert answer.status_code == 200
    found = answer.json()
    return found if isinstance(found, list) else [found]


async def ended(scorer: Running, event_id: str, outcome: str, **event: Any) -> int:
    body = {"event_id": event_id, "outcome": outcome, "ts": NOW - 60.0, "event": {**EVENT, **event}}
    answer = await scorer.client.post("/outcomes", json=body)
    assert answer.status_code == 200
    learned: int = answer.json()["learned"]
    return learned


async def heard(pair: tuple[Running, Running]) -> None:
    """What each has learned is known to the other, as it is within a second."""
    for each in pair:
        await each.scorer.profiles.hear_others()


@pytest.fixture
async def alone(tmp_path: Path) -> AsyncIterator[Running]:
    """One scorer on a file of its own."""
    (tmp_path / "alone").mkdir()
    async with running(tmp_path / "alone", clock=FixedClock(NOW)) as one:
        yield one


ASKED: list[dict[str, Any]] = [
    {**EVENT, "event_id": "usual", "timestamp": NOW},
    {**EVENT, **LOUD, "event_id": "loud", "timestamp": NOW},
    {**EVENT, "event_id": "tried", "ip": "203.0.113.7", "timestamp": NOW},
    {**EVENT, "event_id": "stranger", "user_id": "nobody", "timestamp": NOW},
]


async def answered(scorer: Running) -> list[dict[str, Any]]:
    """What it says of the same events in bulk, one at a time, and from the stream, which must not differ by a bit."""
    bulk = said(await scorer.client.post("/bulk_score", json=ASKED))
    assert [said(await scorer.client.post("/score", json=event))[0] for event in ASKED] == bulk
    prefix = f"{id(scorer)}-"
    streamed = await Taker(scorer.scorer).take(*({**each, "event_id": prefix + each["event_id"]} for each in ASKED))
    found = [httpx2.Response(200, content=each.value or b"").json()["score"] for each in streamed]
    assert [{**each, "event_id": each["event_id"].removeprefix(prefix)} for each in found] == bulk
    return bulk


async def test_all_answer_every_event_to_the_same_bit(pair: tuple[Running, Running], alone: Running) -> None:
    """One at a time, in bulk and from the stream, at any of them: after each learned what the other one did not. The
    answers travel as the shortest text that gives the same bits again."""
    for number in range(12):
        for one, other, third in ((pair[number % 2], pair[number // 2 % 2], pair[(number + 1) % 2]), (alone,) * 3):
            assert await ended(one, f"good-{number}", "success", device_id=f"dev-{number % 3}") == 1
            await ended(other, f"bad-{number}", "failure", user_id=f"u{number}", ip="203.0.113.7")
            assert await ended(third, f"good-{number}", "success") == 0
        if number % 4 == 0:  # what is asked for in between is in memory, at one or at both
            assert said(await pair[number % 8 // 4].client.post("/bulk_score", json=ASKED)) != []
    await heard(pair)
    here, there = pair
    found = await answered(here)
    assert found[0]["explain"]["known_logins"] == 12
    assert found == await answered(there) == await answered(alone)
    assert here.credential == there.credential


async def test_what_is_tried_at_one_is_known_at_the_other_once(pair: tuple[Running, Running]) -> None:
    """Failures from one address count at both, each once, whoever was told of them and however often."""
    here, there = pair
    for number in range(5):
        await ended(here, f"bad-{number}", "failure", user_id=f"u{number}", ip="203.0.113.7")
        await ended(there, f"bad-{number}", "failure", user_id=f"u{number}", ip="203.0.113.7")
    await heard(pair)
    await heard(pair)
    tried = observation(ip="203.0.113.7", timestamp=NOW - 60.0)
    [[mine], [theirs]] = [each.scorer.surroundings.around([tried]) for each in pair]
    assert (mine.network_failures, mine.network_people) == (5.0, 5.0)
    assert mine == theirs


async def test_a_verdict_given_to_one_holds_at_the_other(pair: tuple[Running, Running]) -> None:
    """What was the owner's no longer is, in the very next score of either."""
    here, there = pair
    assert await ended(here, "bad", "success", device_id="thiefs") == 1
    verdict = {"event_id": "bad", "verdict": "confirmed_compromised", "by": "soc"}
    assert (await there.client.post("/feedback", json=verdict)).status_code == 200
    [found] = here.scorer.profiles.get_many(["alice"])
    assert found is not None
    assert (found.logins, "thiefs" in found.device) == (0, False)


async def test_a_redis_that_is_lost_is_announced_and_missed_by_nobody(
    tmp_path: Path, postgresql_url: str, redis: RedisServer, alone: Running
) -> None:
    """Answers stay the same to the bit; `/ready` stays ready and says why there is no Redis, and so do the metrics."""
    settings: dict[str, Any] = {"risk_scorer_database": postgresql_url, "redis_url": redis.url}
    (tmp_path / "shared").mkdir()
    async with running(tmp_path / "shared", clock=FixedClock(NOW), **settings) as here:
        assert (await here.client.get("/ready")).json()["redis"] == "ok"
        for one in (here, alone):
            assert await ended(one, "good-1", "success") == 1
        redis.kill()
        for one in (here, alone):
            assert await ended(one, "good-2", "success") == 1
        assert await answered(here) == await answered(alone)
        answer = await here.client.get("/ready")
        assert (answer.status_code, answer.json()["redis"]) == (200, "redis_unreachable")
        watching: Watching = here.app.state.watching
        await watching.look()
        told = here.scorer.meters.exposition().decode()
        assert 'riskgate_part_ok{part="redis"} 0.0' in told
        assert "riskgate_redis_away 1.0" in told
    assert "redis" not in (await alone.client.get("/ready")).json()
