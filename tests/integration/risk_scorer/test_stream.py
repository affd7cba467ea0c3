"""Events by Kafka: each scored as /score does, kept once, published; what nobody can read goes aside."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plumbing.clock import FixedClock
from tests.integration.risk_scorer.brokers import DEAD, SCORES, Broker, headers_of, mock_broker
from tests.integration.risk_scorer.published import LOUD, publish_model
from tests.integration.risk_scorer.service import EVENT, Running, running

pytestmark = pytest.mark.anyio
NOW = 1_760_000_000.0
FAST = "session.timeout.ms=2500\nheartbeat.interval.ms=400\nreconnect.backoff.max.ms=500\n"
"""librdkafka's mock waits for a session's length, less a second, when somebody joins a group that others are in."""


@pytest.fixture
def broker() -> Iterator[Broker]:
    with mock_broker() as found:
        yield found


def wishes(place: Path, broker: Broker, **changes: Any) -> dict[str, Any]:
    """Settings that have a scorer read that broker."""
    (place / "kafka.properties").write_text(FAST)
    return {
        "kafka_broker": broker.address,
        "kafka_config": place / "kafka.properties",
        **changes,
    }


def events(count: int, first: int = 0, **fields: Any) -> list[dict[str, Any]]:
    return [{**EVENT, "event_id": f"e{n}", "timestamp": NOW - n, **fields} for n in range(first, first + count)]


async def told(service: Running) -> dict[str, Any]:
    answer: dict[str, Any] = (await service.client.get("/health")).json()["kafka"]
    return answer


async def until(service: Running, holds: Callable[[dict[str, Any]], bool], seconds: float = 20.0) -> dict[str, Any]:
    """What /health says of the stream as soon as it holds."""
    async with asyncio.timeout(seconds):
        while not holds(found := await told(service)):  # noqa: ASYNC110 - as a monitor asks
            await asyncio.sleep(0.05)
    return found


def logged(place: Path) -> list[str]:
    """The ids in the log, each as often as it is there."""
    with closing(sqlite3.connect(place / "scorer" / "scorer.db")) as database:
        rows = database.execute("SELECT body FROM scored_events").fetchall()
    return sorted(each["score"]["event_id"] for row in rows for each in msgspec.json.decode(row[0]))


async def test_a_streamed_event_scores_to_the_bit_as_a_bulk_does(tmp_path: Path, broker: Broker) -> None:
    """One scoring function: whichever way an event comes, every number and every reason is the same."""
    sent = [*events(40), *events(10, 40, user_id="bob", ip_rep=75.0), *events(1, 50, **LOUD)]
    async with running(tmp_path, clock=FixedClock(NOW), **wishes(tmp_path, broker)) as service:
        broker.send(sent)
        await until(service, lambda found: found["scored"] == 51)
        asked = (await service.client.post("/bulk_score", json=sent)).json()
    streamed = {each["score"]["event_id"]: each["score"] for each in broker.results(51)}
    assert streamed == {each["event_id"]: each for each in asked}
    assert {each["risk_level"] for each in asked} == {"low", "high"}


async def test_an_event_that_comes_again_is_kept_and_published_once(tmp_path: Path, broker: Broker) -> None:
    """Repeated in one batch, in a later one, and after a restart: known by its id."""
    changes = wishes(tmp_path, broker)
    async with running(tmp_path, **changes) as service:
        broker.send([*events(5), *events(5)])
        await until(service, lambda found: found["taken"] == 10)
        broker.send(events(5))
        await until(service, lambda found: found["taken"] == 15)
    async with running(tmp_path, credential=service.credential, **changes) as service:
        broker.send([*events(5), *events(1, 5)])
        found = await until(service, lambda found: found["taken"] == 6)
    assert (found["scored"], found["known_before"]) == (1, 5)
    assert logged(tmp_path) == [f"e{n}" for n in range(6)]
    assert len(broker.received(SCORES, 7, seconds=2.0)) == 6


async def test_a_dead_letter_says_where_it_stood(tmp_path: Path, broker: Broker) -> None:
    """Whoever mends it finds the field and the place, and the key it had."""
    async with running(tmp_path, **wishes(tmp_path, broker)) as service:
        broker.send([{**EVENT, "ip": "nowhere"}, *events(1)])
        await until(service, lambda found: (found["dead"], found["scored"]) == (1, 1))
    [message] = broker.received(DEAD, 1)
    headers = headers_of(message)
    assert message.key() == b"alice"
    assert (headers["reason"], headers["field"], headers["topic"], headers["offset"]) == (
        "invalid_ip",
        "$.ip",
        "login-events",
        "0",
    )


async def test_without_a_model_the_stream_waits_and_loses_nothing(tmp_path: Path, broker: Broker) -> None:
    """Its partitions are paused and the lag is told; with a model it goes on where it stood."""
    async with running(tmp_path, with_model=False, **wishes(tmp_path, broker)) as service:
        broker.send(events(7))
        found = await until(service, lambda found: found["problem"] == "model_unavailable" and found["lag"])
        assert (found["state"], found["lag"], found["scored"]) == ("waiting", 7, 0)
        publish_model(tmp_path / "models")
        assert service.models.reload()
        found = await until(service, lambda found: found["lag"] == 0)
        assert (found["state"], found["problem"], found["scored"]) == ("consuming", None, 7)


async def test_a_held_database_makes_the_stream_wait(tmp_path: Path, broker: Broker) -> None:
    """What cannot be kept is neither published nor committed, and comes when the storage is back."""
    async with running(tmp_path, **wishes(tmp_path, broker)) as service:
        await until(service, lambda found: found["partitions"] > 0)
        service.scorer.database.write_sync(lambda tx: tx._connection.execute("PRAGMA busy_timeout=20") and None)
        with closing(sqlite3.connect(tmp_path / "scorer" / "scorer.db", isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            broker.send(events(4))
            found = await until(service, lambda found: found["problem"] == "storage_unavailable")
            assert (found["state"], found["scored"]) == ("waiting", 0)
            assert (await service.client.post("/score", json=EVENT)).status_code == 200
            holder.execute("ROLLBACK")
        await until(service, lambda found: found["scored"] == 4)
    assert sorted(each["score"]["event_id"] for each in broker.results(4)) == [f"e{n}" for n in range(4)]


async def test_a_broker_that_is_missing_at_the_start_is_waited_for(tmp_path: Path) -> None:
    """Scoring by HTTP goes on, and /health says what is wrong."""
    async with running(tmp_path, kafka_broker="127.0.0.1:1") as service:
        found = await until(service, lambda found: found["problem"] == "broker_unavailable")
        assert (found["state"], found["lag"]) == ("connecting", None)
        assert (await service.client.post("/score", json=EVENT)).status_code == 200
        assert (await service.client.get("/ready")).status_code == 200
