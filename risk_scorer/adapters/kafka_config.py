"""How we speak to Apache Kafka: what librdkafka is told, and what it tells about itself.

Source for the names: librdkafka, CONFIGURATION.md and STATISTICS.md.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

QUEUE_KBYTES: Final = 16 * 1024
"""What lies fetched and unread; past that nothing more is asked for."""
FETCH_BYTES: Final = 8 * 1024 * 1024
DELIVERY_MS: Final = 60_000
"""After so long a result that no broker took is handed in anew."""


class KafkaSettings(Struct, frozen=True, kw_only=True):
    """Where the brokers are, who we are to them, what we read, and how much at once."""

    broker: str
    group: str
    topics: tuple[str, ...]
    batch: int
    properties: Mapping[str, str]


def consumer_config(settings: KafkaSettings) -> dict[str, Any]:
    """For a consumer that says itself what is done, and keeps its partitions while others come and go."""
    return {
        "auto.offset.reset": "earliest",
        "queued.max.messages.kbytes": QUEUE_KBYTES,
        "fetch.max.bytes": FETCH_BYTES,
        "topic.metadata.refresh.interval.ms": 10_000,
        "statistics.interval.ms": 1000,
        "client.id": "risk-scorer",
        **settings.properties,
        "bootstrap.servers": settings.broker,
        "group.id": settings.group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "partition.assignment.strategy": "cooperative-sticky",
        "logger": quiet(),
    }


def producer_config(settings: KafkaSettings) -> dict[str, Any]:
    """For a producer whose records are in order and on every replica, or are told to have failed."""
    return {
        "linger.ms": 5,
        "compression.type": "lz4",
        "delivery.timeout.ms": DELIVERY_MS,
        "client.id": "risk-scorer",
        **settings.properties,
        "bootstrap.servers": settings.broker,
        "enable.idempotence": True,
        "acks": "all",
        "delivery.report.only.error": True,
        "logger": quiet(),
    }


def quiet() -> logging.Logger:
    """Takes what librdkafka says at each failing connection, many times a second; we tell changes alone."""
    logger = logging.getLogger("risk_scorer.librdkafka")
    logger.disabled = True
    return logger


class _Broker(Struct):
    state: str
    nodeid: int


class _Partition(Struct):
    hi_offset: int = -1001
    lo_offset: int = -1001
    committed_offset: int = -1001

    def waiting(self, end: int | None) -> int | None:
        """How many records wait after that offset; without one, after what was committed, or all there are."""
        if self.hi_offset < 0:
            return None
        begin = max(self.committed_offset, self.lo_offset, 0) if end is None else end
        return max(0, self.hi_offset - begin)


class _Topic(Struct):
    partitions: dict[str, _Partition] = {}


class Statistics(Struct):
    """What librdkafka tells once a second, as far as we read it."""

    brokers: dict[str, _Broker] = {}
    topics: dict[str, _Topic] = {}

    @property
    def has_broker(self) -> bool:
        """Whether a connection to any broker stands."""
        return any(broker.state == "UP" for broker in self.brokers.values())

    def lag(self, done: Mapping[tuple[str, int], int | None]) -> int | None:
        """How many records of these places wait, given the offset up to which each is done, as far as it is known."""
        found = [
            self.topics.get(topic, _Topic()).partitions.get(str(partition), _Partition()).waiting(end)
            for (topic, partition), end in done.items()
        ]
        known = [waiting for waiting in found if waiting is not None]
        return sum(known) if known else None


statistics_of = msgspec.json.Decoder(Statistics).decode
