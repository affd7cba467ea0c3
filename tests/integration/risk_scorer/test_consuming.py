"""A process that only consumes: it needs a broker, and two of them on one state know what the other has learned."""

import asyncio
from pathlib import Path

import pytest

from risk_scorer.assembly import CannotStart, Scorer, assemble
from risk_scorer.consuming import consume, consumer_of
from tests.integration.risk_scorer.brokers import mock_broker
from tests.integration.risk_scorer.published import publish_model
from tests.integration.risk_scorer.service import EVENT, settings_for, shared_lookups
from tests.integration.risk_scorer.test_stream_records import Taker

pytestmark = pytest.mark.anyio


def opened(place: Path, **changes: object) -> Scorer:
    publish_model(place / "models")
    return assemble(settings_for(place, **changes), lookups=shared_lookups(), is_alone=False)


def test_without_a_broker_there_is_nothing_to_consume(tmp_path: Path) -> None:
    """One line says which setting is missing."""
    scorer = opened(tmp_path)
    with pytest.raises(CannotStart, match="KAFKA_BROKER"):
        consumer_of(scorer)
    scorer.database.close()


async def test_it_judges_what_comes_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """Logins, and what is done in sessions; what is in hand is finished, then everything is closed."""
    done = {"identity": {"user_id": "alice", "session_id": "s1"}, "event": {"endpoint": "/orders/7"}, "event_id": "a1"}
    with mock_broker() as broker:
        scorer = opened(tmp_path, kafka_broker=broker.address)
        streaming, stop, said = consumer_of(scorer), asyncio.Event(), list[str]()
        broker.send([*({**EVENT, "event_id": f"e{number}"} for number in range(5)), done])
        running = asyncio.create_task(consume(scorer, streaming, stop, tell_ready=said.append))
        async with asyncio.timeout(60.0):
            while streaming.health().taken < 6:  # noqa: ASYNC110 - as a monitor asks
                await asyncio.sleep(0.05)
        stop.set()
        await running
        assert said == [f"consuming login-events from {broker.address}"]
        assert streaming.health().state == "stopped"
        results = broker.results(6)
        assert sum("score" in each for each in results) == 5
        [assessment] = [each["assessment"] for each in results if "assessment" in each]
        assert (assessment["event_id"], assessment["identity"], assessment["action"]) == ("a1", "vouched", "allow")


async def test_two_that_share_a_state_know_what_the_other_learned(tmp_path: Path) -> None:
    """No history in memory is believed unasked: the next score has what any of them was taught."""
    first, second = opened(tmp_path), opened(tmp_path)
    event = {**EVENT, "event_id": "e1"}
    for scorer in (first, second):
        scorer.models.reload()
    assert first.profiles.get_many(["alice"]) == second.profiles.get_many(["alice"]) == [None]
    await Taker(first).take({**event, "outcome": "success"})
    [learned] = second.profiles.get_many(["alice"])
    assert learned is not None
    await Taker(second).take({**event, "event_id": "e2", "outcome": "success"})
    assert first.profiles.get_many(["alice"]) != [learned]
    for scorer in (first, second):
        scorer.database.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_history_that_nobody_changed_is_not_decoded_again(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The database says, by its digest or by its bytes, that the copy in memory is what is committed."""
    url = None if kind == "sqlite" else request.getfixturevalue("postgresql_url")
    scorer = opened(tmp_path, risk_scorer_database=url)
    scorer.models.reload()
    await Taker(scorer).take({**EVENT, "event_id": "e1", "outcome": "success"})
    before = scorer.hot.found["memory"]
    scorer.profiles.get_many(["alice"])
    assert scorer.hot.found["memory"] == before + 1
    scorer.database.close()
