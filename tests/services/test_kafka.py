"""A real broker that dies, consumers that die, everything produced twice: each event once, every bad record aside."""

import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from risk_scorer.adapters.kafka_config import quiet
from tests.integration.risk_scorer.brokers import DEAD, EVENTS, SCORES, Broker, headers_of
from tests.integration.risk_scorer.service import EVENT
from tests.services.apache_kafka import ApacheKafka
from tests.services.consumers import Consumers, consumers

pytestmark = pytest.mark.services
PARTITIONS, PEOPLE, POISON_EVERY, CONSUMERS = 6, 500, 100, 3
ENDS_SECONDS, LONG_SECONDS = 240.0, 3600.0


def good(number: int) -> bytes:
    user = f"u{number % PEOPLE}"
    return msgspec.json.encode({**EVENT, "user_id": user, "event_id": f"e{number}", "device_id": f"d-{user}"})


def poison(number: int) -> bytes:
    """One that can be told from every other, of a kind that changes."""
    mark = f'"mark":"p{number}"'
    return [
        f"{{{mark}".encode(),
        f'{{{mark},"ip":"198.51.100.9"}}'.encode(),
        f'{{{mark},"user_id":"u","ip":"nowhere"}}'.encode(),
        b'{"user_id":"\xff",' + mark.encode() + b"}",
        f'{{{mark},"pad":{"[" * 5000}'.encode(),
        f'{{{mark},"user_id":"u","ip":"198.51.100.9","pad":"{"x" * 70_000}"}}'.encode(),
    ][number % 6]


def mark(value: bytes) -> str:
    return value.partition(b'"mark":"')[2].partition(b'"')[0].decode()


def records(count: int) -> Iterator[tuple[str, bytes]]:
    for number in range(count):
        yield f"u{number % PEOPLE}", good(number)
        if number % POISON_EVERY == 0:
            yield f"u{number % PEOPLE}", poison(number // POISON_EVERY)


def produce(address: str, count: int) -> None:
    producer = Producer({"bootstrap.servers": address, "linger.ms": 20, "compression.type": "lz4", "logger": quiet()})
    for key, value in records(count):
        while True:
            try:
                producer.produce(EVENTS, value=value, key=key)
                break
            except BufferError:
                producer.poll(0.2)
    assert producer.flush(120.0) == 0


class Group:
    """What the consumer group has committed, asked of the broker."""

    def __init__(self, address: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": address, "logger": quiet()})
        self._reader = Consumer({"bootstrap.servers": address, "group.id": "watcher", "logger": quiet()})

    def waiting(self) -> int:
        """Records that are not committed yet."""
        places = [TopicPartition(EVENTS, partition) for partition in range(PARTITIONS)]
        asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("risk-scorer", places)])
        done = asked["risk-scorer"].result(20.0).topic_partitions
        total = 0
        for place in done:
            low, high = self._reader.get_watermark_offsets(TopicPartition(EVENTS, place.partition), timeout=20.0)
            total += high - max(low, place.offset)
        return total

    def close(self) -> None:
        self._reader.close()


def until_done(address: str, running: Consumers, seconds: float) -> None:
    group, ends = Group(address), time.monotonic() + seconds
    while (waiting := group.waiting()) > 0:
        assert time.monotonic() < ends, f"{waiting} records wait\n{running.log[-3000:]}"
        time.sleep(0.5)
    group.close()


def kept(place: Path) -> Counter[str]:
    """Every event id in the log, with how often it is there."""
    with closing(sqlite3.connect(place / "scorer" / "scorer.db")) as database:
        bodies = database.execute("SELECT body FROM scored_events")
        return Counter(each["score"]["event_id"] for row in bodies for each in msgspec.json.decode(row[0]))


def kept_count(place: Path) -> int:
    with closing(sqlite3.connect(place / "scorer" / "scorer.db")) as database:
        return int(database.execute("SELECT COALESCE(SUM(events), 0) FROM scored_events").fetchone()[0])


def kill_now_and_then(kafka: ApacheKafka, running: Consumers, *, kills: int, total: int, seconds: float) -> None:
    """Kill consumers, and every fourth time the broker, spread over the work; whoever died is started again."""
    chance, ends = random.Random(7), time.monotonic() + seconds
    for kill in range(kills):
        while kept_count(running.place) < total * (kill + 1) // (kills + 2):
            assert time.monotonic() < ends, running.log[-3000:]
            time.sleep(0.1)
        if kill % 4 == 1:
            kafka.stop()
            time.sleep(1.0)
            kafka.start()
        else:
            running.stop(chance.choice(running.processes))
            running.start()


def test_each_event_is_kept_once_whatever_dies(kafka: ApacheKafka, tmp_path: Path, is_long: bool) -> None:
    """All produced twice with one record in a hundred bad, three consumers, they and the broker killed meanwhile."""
    count, kills, seconds = (1_000_000, 20, LONG_SECONDS) if is_long else (20_000, 4, ENDS_SECONDS)
    broker = Broker(kafka.address)
    broker.make_topics(PARTITIONS)
    produce(kafka.address, count)
    with consumers(tmp_path, kafka.address) as running:
        for _ in range(CONSUMERS):
            running.start()
        kill_now_and_then(kafka, running, kills=kills, total=count, seconds=seconds)
        produce(kafka.address, count)
        until_done(kafka.address, running, seconds)
        assert [running.stop(process, signal.SIGTERM) for process in list(running.processes)] == [0] * CONSUMERS
    found = kept(tmp_path)
    assert len(found) == count
    assert set(found.values()) == {1}
    bad = count // POISON_EVERY
    dead = broker.received(DEAD, 2 * bad, seconds=60.0)
    assert {mark(each.value() or b"") for each in dead} == {f"p{number}" for number in range(bad)}
    assert {headers_of(each)["reason"] for each in dead} == {
        "malformed_json",
        "invalid_request",
        "invalid_ip",
        "record_too_large",
    }
    assert published(broker, count) == set(found)


def published(broker: Broker, count: int) -> set[str]:
    """The ids in the output topic, which may hold some twice."""
    return {
        msgspec.json.decode(each.value() or b"")["score"]["event_id"]
        for each in broker.received(SCORES, count + count // 10 + 20_000, seconds=30.0)
    }


def test_a_stopped_consumer_hands_over_without_a_gap(kafka: ApacheKafka, tmp_path: Path) -> None:
    """Told to stop, a process commits what it has done and leaves; nothing is scored again by the next."""
    broker = Broker(kafka.address)
    broker.make_topics(PARTITIONS)
    with consumers(tmp_path, kafka.address) as running:
        first = running.start()
        broker.send([msgspec.json.decode(good(number)) for number in range(500)])
        until_done(kafka.address, running, ENDS_SECONDS)
        assert running.stop(first, signal.SIGTERM) == 0
        running.start()
        broker.send([msgspec.json.decode(good(number)) for number in range(500, 600)])
        until_done(kafka.address, running, ENDS_SECONDS)
    assert kept(tmp_path) == Counter({f"e{number}": 1 for number in range(600)})
    assert len(broker.received(SCORES, 601, seconds=3.0)) == 600
