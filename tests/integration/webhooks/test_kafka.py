"""A topic of Apache Kafka as a receiver of the outbox: delivered is what the brokers have acknowledged."""

import time
from pathlib import Path

import msgspec
import pytest

from auth_gateway.receivers import endpoints_of, person_of
from auth_gateway.settings import Settings
from plumbing.clock import SystemClock
from tests.integration.risk_scorer.brokers import OUTCOMES, headers_of, mock_broker
from webhooks.kafka import KafkaReceiver
from webhooks.targets import system_resolver

pytestmark = pytest.mark.anyio
OUTCOME = {
    "event_id": "o1",
    "event": {"user_id": "alice", "ip": "198.51.100.9"},
    "outcome": "success",
    "ts": 1_760_000_000.0,
}
BODY = msgspec.json.encode(OUTCOME)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def settings(**changes: object) -> Settings:
    return Settings(**{"auth_gateway_profile": "demo", **changes})  # type: ignore[arg-type]


async def test_an_outcome_becomes_a_record_of_its_person() -> None:
    """The body as it lay in the outbox, under the person's key and the message's id."""
    with mock_broker() as broker:
        receiver = endpoints_of(settings(kafka_broker=broker.address, kafka_topic_outcomes=OUTCOMES))["scorer"]
        async with receiver.opened(clock=SystemClock(), resolver=system_resolver, deadline_seconds=20.0) as carrier:
            attempt = await carrier.carry("msg_1", BODY)
        [record] = broker.received(OUTCOMES, 1)
    assert attempt.is_delivered
    assert (record.key(), record.value(), headers_of(record)) == (b"alice", BODY, {"id": "msg_1"})


async def test_a_broker_that_is_away_is_an_attempt_that_failed_in_time() -> None:
    """The message stays in the outbox, and the next attempt is made by its usual pace."""
    receiver = KafkaReceiver(name="scorer", brokers="127.0.0.1:1", topic=OUTCOMES, key_of=person_of)
    began = time.monotonic()
    async with receiver.opened(clock=SystemClock(), resolver=system_resolver, deadline_seconds=1.0) as carrier:
        attempt = await carrier.carry("msg_1", BODY)
    assert (attempt.is_delivered, attempt.problem, attempt.is_final) == (False, "kafka_msg_timed_out", False)
    assert time.monotonic() - began < 10.0


async def test_what_no_topic_takes_is_tried_once() -> None:
    """Another attempt would fare no better."""
    receiver = KafkaReceiver(name="scorer", brokers="127.0.0.1:1", topic=OUTCOMES, key_of=lambda _: None)
    async with receiver.opened(clock=SystemClock(), resolver=system_resolver, deadline_seconds=1.0) as carrier:
        attempt = await carrier.carry("msg_1", b"x" * 2_000_000)
    assert attempt.is_final


@pytest.mark.parametrize("given", [{"kafka_broker": "b:1"}, {"kafka_topic_outcomes": "t"}])
def test_broker_and_topic_are_set_together(given: dict[str, str]) -> None:
    """One alone would send outcomes nowhere that anybody thought of."""
    with pytest.raises(ValueError, match="together"):
        settings(**given)


def test_a_file_of_properties_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    """Before the first login, and not at the first outcome."""
    with pytest.raises(ValueError, match="KAFKA_CONFIG"):
        settings(kafka_broker="b:1", kafka_topic_outcomes="t", kafka_config=tmp_path / "nowhere")
