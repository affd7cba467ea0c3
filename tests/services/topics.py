"""What stands in a topic of a real broker, and what a group has not committed yet."""

import time
from collections.abc import Iterator

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

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
    """What a consumer group has committed, asked of the broker."""

    def __init__(self, address: str, topic: str, partitions: int) -> None:
        self._admin = AdminClient(client(address))
        self._reader = Consumer(client(address, **{"group.id": "watcher"}))
        self._places = [TopicPartition(topic, partition) for partition in range(partitions)]

    def waiting(self) -> int:
        """Records that are not committed yet; asked again while a broker that has just started cannot say."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return sum(self._waiting_in(place) for place in self._committed())
            except KafkaException:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.5)

    def close(self) -> None:
        self._reader.close()

    def _committed(self) -> list[TopicPartition]:
        asked = self._admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions("risk-scorer", self._places)], request_timeout=20.0
        )
        found: list[TopicPartition] = asked["risk-scorer"].result(30.0).topic_partitions
        return found

    def _waiting_in(self, place: TopicPartition) -> int:
        low, high = self._reader.get_watermark_offsets(TopicPartition(place.topic, place.partition), timeout=20.0)
        return int(high - max(low, place.offset))
