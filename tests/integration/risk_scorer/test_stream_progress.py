"""What the group was not told it is told again: when nothing comes, with the next batch, and before we leave."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from plumbing.clock import FixedClock, SystemClock
from risk_scorer.adapters import kafka
from risk_scorer.adapters.kafka import KafkaStream
from risk_scorer.adapters.kafka_config import KafkaSettings
from risk_scorer.adapters.kafka_progress import AGAIN_SECONDS, LAST_SECONDS, Progress
from risk_scorer.flows.ports import StreamMessage, StreamRecord
from tests.integration.risk_scorer.brokers import EVENTS, Broker, client, mock_broker

PATIENCE_SECONDS = 20.0
NOWHERE = TopicPartition(EVENTS, 999, 1)
"""A commit of it is refused by the broker, whose answer comes as every other."""


class Refusing(Consumer):
    """A real consumer whose commits the broker refuses, as long as told."""

    is_refused: Callable[[], bool] = staticmethod(lambda: True)
    commits = 0

    def commit(self, *, offsets: list[TopicPartition]) -> None:  # type: ignore[override]
        type(self).commits += 1
        super().commit(offsets=[NOWHERE] if self.is_refused() else offsets)


class Taker:
    """Takes whatever comes."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, records: Sequence[StreamRecord]) -> Any:
        return records

    async def take(self, batch: Any) -> list[StreamMessage]:
        self.taken += len(batch)
        return []


@pytest.fixture
def broker() -> Iterator[Broker]:
    with mock_broker() as found:
        yield found


@contextmanager
def streaming(broker: Broker, taker: Taker) -> Iterator[KafkaStream]:
    """A running stream, whose event loop is on a thread of its own."""
    settings = KafkaSettings(broker=broker.address, group="g", topics=(EVENTS,), batch=100, properties={})
    stream, loop = KafkaStream(settings, taker, clock=SystemClock()), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stream.start(loop)
    try:
        yield stream
    finally:
        stream.stop()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)


def committed(broker: Broker) -> int:
    """How many records the group has behind it."""
    consumer = Consumer(client(broker.address, **{"group.id": "g"}))
    places = [TopicPartition(EVENTS, each) for each in range(4)]
    found = consumer.committed(places, timeout=PATIENCE_SECONDS)
    consumer.close()
    return sum(max(0, each.offset) for each in found)


def test_a_refused_commit_is_repeated_when_nothing_comes(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart would take the last batch again, for as long as no further one comes."""
    consumer = type("Once", (Refusing,), {"is_refused": lambda self: type(self).commits <= 1})
    monkeypatch.setattr(kafka, "Consumer", consumer)
    taker = Taker()
    with streaming(broker, taker):
        broker.send([b"{}"] * 7)
        until(lambda: taker.taken == 7)
        until(lambda: committed(broker) == 7)


def test_a_refused_commit_is_repeated_once_more_before_the_consumer_leaves(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told to stop, it says what is done, so that whoever is next does not take it again."""
    stopping = threading.Event()
    consumer = type("UntilTheEnd", (Refusing,), {"is_refused": lambda _: not stopping.is_set()})
    monkeypatch.setattr(kafka, "Consumer", consumer)
    taker = Taker()
    with streaming(broker, taker):
        broker.send([b"{}"] * 5)
        until(lambda: taker.taken == 5)
        assert committed(broker) == 0
        stopping.set()
    assert committed(broker) == 5


class Quiet:
    """A consumer that notes what it is told to commit, and hears nothing unless it is given answers."""

    def __init__(self, clock: FixedClock) -> None:
        self.said: list[list[tuple[int, int]]] = []
        self._clock = clock

    def commit(self, *, offsets: list[TopicPartition]) -> None:
        self.said.append([(each.partition, each.offset) for each in offsets])

    def pause(self, partitions: list[TopicPartition]) -> None:
        """Nothing is read anyway."""

    def consume(self, count: int, timeout: float) -> list[Any]:
        self._clock.advance(timeout)
        return []


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(0.0)


@pytest.fixture
def consumer(clock: FixedClock) -> Any:
    return Quiet(clock)


def done(progress: Progress, partition: int, end: int) -> None:
    progress.advance([StreamRecord(EVENTS, partition, end - 1, 0, None, b"")])


def progress_of(clock: FixedClock, *partitions: int) -> Progress:
    found = Progress(clock)
    found.gain(TopicPartition(EVENTS, each) for each in partitions)
    return found


def refused(progress: Progress, *places: tuple[int, int]) -> None:
    progress.on_commit(KafkaError(KafkaError._TIMED_OUT), [TopicPartition(EVENTS, *place) for place in places])


def test_the_next_batch_says_what_the_last_one_could_not(clock: FixedClock, consumer: Any) -> None:
    """Only what the group is not known to have is said again."""
    progress = progress_of(clock, 0, 1)
    done(progress, 0, 10)
    progress.say(consumer)
    refused(progress, (0, 10))
    done(progress, 1, 20)
    progress.say(consumer)
    progress.on_commit(None, [TopicPartition(EVENTS, 0, 10), TopicPartition(EVENTS, 1, 20)])
    done(progress, 1, 21)
    progress.say(consumer)
    assert consumer.said == [[(0, 10)], [(0, 10), (1, 20)], [(1, 21)]]


def test_what_is_refused_is_repeated_no_sooner_than_a_second_later(clock: FixedClock, consumer: Any) -> None:
    """A broker that refuses us is not asked ten times a second, nor while its answer is still to come."""
    progress = progress_of(clock, 0)
    done(progress, 0, 10)
    progress.say(consumer)
    clock.advance(AGAIN_SECONDS)
    progress.say_again(consumer)
    assert len(consumer.said) == 1
    refused(progress, (0, 10))
    progress.say_again(consumer)
    refused(progress, (0, 10))
    clock.advance(AGAIN_SECONDS * 0.99)
    progress.say_again(consumer)
    assert len(consumer.said) == 2
    clock.advance(AGAIN_SECONDS * 0.01)
    progress.say_again(consumer)
    assert len(consumer.said) == 3


def test_the_last_word_is_bounded(clock: FixedClock, consumer: Any) -> None:
    """A group that does not answer holds nobody up for longer than some seconds; without news nobody waits."""
    progress = progress_of(clock, 0)
    progress.say_at_last(consumer)
    assert (clock.monotonic(), consumer.said) == (0.0, [])
    done(progress, 0, 10)
    progress.say_at_last(consumer)
    assert LAST_SECONDS <= clock.monotonic() < LAST_SECONDS + 1.0


def test_of_a_place_that_was_lost_nothing_is_said(clock: FixedClock, consumer: Any) -> None:
    """What its new owner has done since would be taken back."""
    progress = progress_of(clock, 0, 1)
    done(progress, 0, 10)
    done(progress, 1, 10)
    progress.lose([TopicPartition(EVENTS, 0)])
    done(progress, 0, 11)
    progress.on_commit(None, [TopicPartition(EVENTS, 0, 10)])
    progress.say(consumer)
    assert consumer.said == [[(1, 10)]]


def test_what_is_taken_from_us_is_said_before_it_goes(clock: FixedClock, consumer: Any) -> None:
    """A place goes to another consumer with all that we have done of it; one that is lost is no more ours to tell."""
    settings = KafkaSettings(broker="", group="g", topics=(EVENTS,), batch=100, properties={})
    stream = KafkaStream(settings, Taker(), clock=clock)
    both = [TopicPartition(EVENTS, 0), TopicPartition(EVENTS, 1)]
    stream._progress.gain(both)
    for partition in (0, 1):
        done(stream._progress, partition, 10)
    stream._on_lost(consumer, both[:1])
    stream._on_revoke(consumer, both[1:])
    assert (consumer.said, stream.health.partitions) == ([[(1, 10)]], 0)
