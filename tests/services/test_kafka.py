"""A real broker that dies, consumers that die, everything produced twice: each event once, every bad record aside."""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from plumbing.refusals import Refused
from risk_scorer.adapters.kafka_config import KafkaSettings
from risk_scorer.adapters.kafka_publisher import Publisher
from risk_scorer.flows.ports import StreamMessage
from tests.integration.risk_scorer.brokers import DEAD, EVENTS, SCORES, Broker, client, headers_of
from tests.integration.risk_scorer.service import EVENT
from tests.services.apache_kafka import ApacheKafka
from tests.services.consumers import Consumers, consumers
from tests.services.state import State
from tests.services.topics import Group, whole

pytestmark = pytest.mark.services
PARTITIONS, PEOPLE, POISON_EVERY, CONSUMERS = 6, 500, 100, 3
TEACHES_EVERY = 10
"""One event in so many has ended and is learned from."""
ENDS_SECONDS = 240.0
REASONS = {"malformed_json", "invalid_request", "invalid_ip", "record_too_large"}


class Story(msgspec.Struct, frozen=True):
    """How much is produced, how often something is killed, and how long that may take."""

    events: int
    kills: int
    seconds: float


REDUCED, FULL = Story(10_000, 4, ENDS_SECONDS), Story(1_000_000, 20, 3600.0)


class Score(msgspec.Struct):
    event_id: str


class Result(msgspec.Struct):
    """A published result as far as it is looked at."""

    score: Score


def good(number: int) -> bytes:
    user = f"u{number % PEOPLE}"
    ended = {"outcome": "success"} if number // PEOPLE % TEACHES_EVERY == 0 else {}
    event = {**EVENT, "user_id": user, "event_id": f"e{number}", "device_id": f"d-{user}", **ended}
    return msgspec.json.encode(event)


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
    producer = Producer(client(address, **{"linger.ms": 20, "compression.type": "lz4"}))
    for key, value in records(count):
        while True:
            try:
                producer.produce(EVENTS, value=value, key=key)
                break
            except BufferError:
                producer.poll(0.2)
    assert producer.flush(120.0) == 0


def until_done(address: str, running: Consumers, seconds: float) -> None:
    group, ends = Group(address, EVENTS, PARTITIONS), time.monotonic() + seconds
    while (waiting := group.waiting()) > 0:
        assert time.monotonic() < ends, f"{waiting} records wait\n{running.log[-3000:]}"
        time.sleep(0.5)
    group.close()


def kill_now_and_then(kafka: ApacheKafka, running: Consumers, state: State, story: Story) -> None:
    """Kill consumers, and every fourth time the broker, spread over the work; whoever died is started again."""
    chance, ends = random.Random(7), time.monotonic() + story.seconds
    for kill in range(story.kills):
        while state.count() < story.events * (kill + 1) // (story.kills + 2):
            assert time.monotonic() < ends, running.log[-3000:]
            time.sleep(0.2)
        if kill % 4 == 1:
            kafka.stop()
            time.sleep(1.0)
            kafka.start()
        else:
            running.stop(chance.choice(running.processes))
            running.start()


def test_each_event_is_kept_once_whatever_dies(kafka: ApacheKafka, state: State, tmp_path: Path, is_long: bool) -> None:
    """All produced twice with one record in a hundred bad, three consumers, they and the broker killed meanwhile."""
    story = FULL if is_long else REDUCED
    broker = Broker(kafka.address)
    broker.make_topics(PARTITIONS)
    produce(kafka.address, story.events)
    with consumers(tmp_path, kafka.address, state) as running:
        for _ in range(CONSUMERS):
            running.start()
        kill_now_and_then(kafka, running, state, story)
        produce(kafka.address, story.events)
        until_done(kafka.address, running, story.seconds)
        assert [running.stop(process, signal.SIGTERM) for process in list(running.processes)] == [0] * CONSUMERS
    found = state.events()
    assert len(found) == story.events
    assert set(found.values()) == {1}
    assert state.logins() == story.events // TEACHES_EVERY
    assert reasons_of_dead_letters(kafka.address, story) == REASONS
    assert published(kafka.address) == found.keys()


def reasons_of_dead_letters(address: str, story: Story) -> set[str]:
    """Why bad records went aside, after seeing that every one of them did, of both times it was produced."""
    marks: Counter[str] = Counter()
    reasons = set()
    for message in whole(address, DEAD):
        marks[mark(message.value() or b"")] += 1
        reasons.add(headers_of(message)["reason"])
    assert marks.keys() == {f"p{number}" for number in range(story.events // POISON_EVERY)}
    assert min(marks.values()) >= 2
    return reasons


def published(address: str) -> set[str]:
    """The ids in the output topic, which may hold some twice."""
    return {msgspec.json.decode(each.value() or b"", type=Result).score.event_id for each in whole(address, SCORES)}


def test_a_stopped_consumer_hands_over_without_a_gap(kafka: ApacheKafka, state: State, tmp_path: Path) -> None:
    """Told to stop, a process commits what it has done and leaves; nothing is scored again by the next."""
    broker = Broker(kafka.address)
    broker.make_topics(PARTITIONS)
    with consumers(tmp_path, kafka.address, state) as running:
        first = running.start()
        broker.send([msgspec.json.decode(good(number)) for number in range(500)])
        until_done(kafka.address, running, ENDS_SECONDS)
        assert running.stop(first, signal.SIGTERM) == 0
        running.start()
        broker.send([msgspec.json.decode(good(number)) for number in range(500, 600)])
        until_done(kafka.address, running, ENDS_SECONDS)
    assert state.events() == Counter({f"e{number}": 1 for number in range(600)})
    assert len(list(whole(kafka.address, SCORES))) == 600


def test_a_missing_topic_for_results_is_named_as_that(kafka: ApacheKafka) -> None:
    """Not as a broker that is away; when it is made, what waits arrives, and once."""
    publisher = Publisher(KafkaSettings(broker=kafka.address, group="g", topics=(EVENTS,), batch=1, properties={}))
    publisher.begin([StreamMessage(SCORES, b"u", b"1")])
    with pytest.raises(Refused) as caught:
        publisher.finish()
    assert caught.value.code == "topic_missing"
    Broker(kafka.address).make_topics(1)
    until_published(publisher)
    kafka.stop()
    publisher.begin([StreamMessage(SCORES, b"u", b"2")])
    with pytest.raises(Refused) as caught:
        publisher.finish()
    assert caught.value.code == "broker_unavailable"
    kafka.start()
    until_published(publisher)
    assert [each.value() for each in whole(kafka.address, SCORES)] == [b"1", b"2"]
    publisher.close()


def until_published(publisher: Publisher) -> None:
    ends = time.monotonic() + ENDS_SECONDS
    while True:
        try:
            return publisher.finish()
        except Refused:
            assert time.monotonic() < ends
