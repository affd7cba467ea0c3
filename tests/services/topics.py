"""What stands in a topic of a real broker, and what a group has not committed yet."""

import time
from collections.abc import Iterator

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from tests.integration.risk_scorer.brokers import client

PATIENCE_SECONDS = 60.0
PULL = 1000


def whole(address: str, topic: str) -> Iterator[Message]:
    """Every record of the topic, from its beginning to where it ends now."""
    reader = Consumer(
        client(address, **{"group.id": "reader", "enable.auto.commit": False, "enable.partition.eof": True})
    )
    partitions = reader.list_topics(topic, timeout=PATIENCE_SECONDS).topics[topic].partitions
    reader.assign([TopicPartition(topic, each, OFFSET_BEGINNING) for each in partitions])
    ended: set[int | None] = set()
    while ended < set(partitions):
        for message in reader.consume(PULL, 0.5):
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
    reader.close()


class Group:
    """What the scorer's group has committed: asked by a member's way, and never joined.

    The administrator's way ends the process where a broker has just started (librdkafka, issue 5040).
    """

    def __init__(self, address: str, topic: str, partitions: int) -> None:
        self._reader = Consumer(client(address, **{"group.id": "risk-scorer", "enable.auto.commit": False}))
        self._places = [TopicPartition(topic, partition) for partition in range(partitions)]

    def waiting(self) -> int:
        """Records that are not committed yet; asked again while a broker that has just started cannot say."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return sum(self._waiting_in(place) for place in self._reader.committed(self._places, timeout=20.0))
            except KafkaException:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.5)

    def close(self) -> None:
        self._reader.close()

    def _waiting_in(self, place: TopicPartition) -> int:
        if place.error is not None:
            raise KafkaException(place.error)
        low, high = self._reader.get_watermark_offsets(TopicPartition(place.topic, place.partition), timeout=20.0)
        return int(high - max(low, place.offset))
