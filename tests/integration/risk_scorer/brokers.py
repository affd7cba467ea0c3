"""A broker inside the test: librdkafka's own mock cluster, spoken to over real sockets."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from risk_scorer.adapters.kafka_config import quiet

EVENTS, SCORES, DEAD, OUTCOMES = "login-events", "login-scores", "login-events-dead", "login-outcomes"
PATIENCE_SECONDS = 20.0


def client(address: str, **properties: Any) -> dict[str, Any]:
    """The configuration of a client that is not talkative."""
    return {"bootstrap.servers": address, "logger": quiet(), **properties}


class Broker:
    """A running broker at `address`, with the topics of a scorer."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._producer = Producer(client(address, **{"linger.ms": 1}))

    def make_topics(self, partitions: int = 3) -> None:
        admin = AdminClient(client(self.address))
        wanted = [NewTopic(topic, partitions, 1) for topic in (EVENTS, SCORES, DEAD, OUTCOMES)]
        for future in admin.create_topics(wanted).values():
            future.result(PATIENCE_SECONDS)

    def send(self, values: Sequence[Any], topic: str = EVENTS, key: str = "alice") -> None:
        """Each value as a record: bytes and None as they are, anything else as JSON."""
        for value in values:
            body = value if value is None or isinstance(value, bytes) else msgspec.json.encode(value)
            self._producer.produce(topic, value=body, key=key)
        assert self._producer.flush(PATIENCE_SECONDS) == 0

    def received(self, topic: str, count: int, seconds: float = PATIENCE_SECONDS) -> list[Message]:
        """The first records of a topic, as many as were asked for or came in time."""
        consumer = Consumer(client(self.address, **{"group.id": "reader", "enable.auto.commit": False}))
        partitions = consumer.list_topics(topic, timeout=PATIENCE_SECONDS).topics[topic].partitions
        consumer.assign([TopicPartition(topic, each, OFFSET_BEGINNING) for each in partitions])
        found: list[Message] = []
        ends = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < ends:
            found += [each for each in consumer.consume(count, 0.1) if not each.error()]
        consumer.close()
        return found

    def results(self, count: int) -> list[dict[str, Any]]:
        """The scored events that were published."""
        return [msgspec.json.decode(each.value() or b"") for each in self.received(SCORES, count)]

    def dead(self, count: int) -> list[tuple[str, bytes | None]]:
        """Reason and value of what nobody could read."""
        return [(headers_of(each)["reason"], each.value()) for each in self.received(DEAD, count)]


def headers_of(message: Message) -> Mapping[str, str]:
    """Headers as text; a consumer hands out pairs with bytes."""
    pairs = dict(message.headers() or [])
    return {name: value if isinstance(value, str) else (value or b"").decode() for name, value in pairs.items()}


@contextmanager
def mock_broker() -> Iterator[Broker]:
    """librdkafka's mock cluster, which lives as long as the client that made it."""
    cluster = Producer(client("mock", **{"test.mock.num.brokers": 1}))
    [found] = cluster.list_topics(timeout=PATIENCE_SECONDS).brokers.values()
    broker = Broker(f"{found.host}:{found.port}")
    for topic in (EVENTS, SCORES, DEAD, OUTCOMES):
        cluster.list_topics(topic, timeout=PATIENCE_SECONDS)  # being asked for makes a topic there
    yield broker
    cluster.flush(0)
