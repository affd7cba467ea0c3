"""Reads Apache Kafka on a thread of its own and has the event loop take what it reads, one batch at a time.

At least once from the broker: offsets are committed after everything of a batch is kept and published. What takes a
batch makes once of it. While the storage, the model or a broker is away the batch waits, its partitions are paused and
nothing more is fetched (fails closed: nothing is lost, the lag grows and is told).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.adapters.kafka_config import KafkaSettings, consumer_config, statistics_of
from risk_scorer.adapters.kafka_progress import Progress
from risk_scorer.adapters.kafka_publisher import Publisher
from risk_scorer.contract.stream import StreamHealth, StreamState
from risk_scorer.flows.ports import StreamRecord, TakesRecords

PULL: Final = 200
"""Records that are asked for at once; a batch is several pulls, as long as they come full."""
PULL_SECONDS: Final = 0.1
MOST_BYTES: Final = 8 * 1024 * 1024
"""Of records in a batch, whatever their number."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 5.0
STOP_SECONDS: Final = 20.0
NO_ACCESS: Final = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.SASL_AUTHENTICATION_FAILED,
    }
)
AWAY: Final = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE})

T = TypeVar("T")
log = structlog.get_logger(__name__)


class Stopping(Exception):
    """We were told to stop: what is in hand stays uncommitted and comes again."""


class KafkaStream:
    """One consumer and one producer. `start` and `stop` from any thread, `health` at any time."""

    def __init__(self, settings: KafkaSettings, taker: TakesRecords, *, clock: Clock) -> None:
        self._settings = settings
        self._taker = taker
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._progress = Progress(clock)
        self._carried: list[StreamRecord] = []
        self._is_paused = False
        self._is_open = False
        self._state: StreamState = "connecting"
        self._problem: str | None = None
        self._lag: int | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to read; whatever is away then is waited for."""
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        """Finish what is in hand, leave the group. Blocks, at most some seconds."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        self._state = "stopped"

    @property
    def health(self) -> StreamHealth:
        """How the stream stands, without its counts."""
        return StreamHealth(
            state=self._state, problem=self._problem, lag=self._lag, partitions=len(self._progress.ends)
        )

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._consume()
            except Stopping:
                break
            except Exception as error:  # the thread is the stream: it must not end while the process lives
                log.exception("stream_broken", reason=type(error).__name__)
                self._tell("stream_broken")
            self._stopping.wait(LONGEST_PAUSE_SECONDS)

    def _consume(self) -> None:
        """Read until told to stop, or until the connection to the group is beyond repair."""
        consumer = Consumer(
            {
                **consumer_config(self._settings),
                "error_cb": self._on_error,
                "stats_cb": self._on_statistics,
                "on_commit": self._progress.on_commit,
            }
        )
        publisher = Publisher(self._settings)
        self._is_open = True
        try:
            consumer.subscribe(
                list(self._settings.topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
            )
            while self._is_open and not publisher.is_broken and not self._stopping.is_set():
                records = self._pull(consumer)
                if records:
                    self._process(consumer, publisher, records)
                else:
                    self._progress.say_again(consumer)
            if self._is_open:
                self._progress.say_at_last(consumer)
        except Stopping:
            self._progress.say_at_last(consumer)
            raise
        finally:
            self._progress.clear()
            self._carried.clear()
            publisher.close()
            consumer.close()

    def _pull(self, consumer: Consumer) -> list[StreamRecord]:
        """The next records, none when none came for a moment."""
        records, self._carried = self._carried, []
        size = sum(len(record.value or b"") for record in records)
        while len(records) < self._settings.batch and size < MOST_BYTES:
            wanted = min(PULL, self._settings.batch - len(records))
            pulled = self._records(consumer.consume(wanted, PULL_SECONDS))
            records += pulled
            size += sum(len(record.value or b"") for record in pulled)
            if len(pulled) < wanted:
                break
        return records

    def _records(self, messages: Sequence[Message]) -> list[StreamRecord]:
        records = []
        for message in messages:
            error = message.error()
            if error is not None:
                self._on_error(error)
                continue
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            if topic is not None and partition is not None and offset is not None:
                stamp = message.timestamp()[1]
                records.append(StreamRecord(topic, partition, offset, stamp, _bytes(message.key()), message.value()))
        return records

    def _process(self, consumer: Consumer, publisher: Publisher, records: Sequence[StreamRecord]) -> None:
        batch = self._taker.read(records)
        messages = self._patiently(consumer, lambda: self._on_loop(batch))
        if messages:
            publisher.begin(messages)
            self._patiently(consumer, publisher.finish, until=lambda: publisher.is_broken)
            if publisher.is_broken:
                return
        self._progress.advance(records)
        self._progress.say(consumer)

    def _on_loop(self, batch: object) -> Any:
        assert self._loop is not None  # noqa: S101 - set before the thread starts
        return asyncio.run_coroutine_threadsafe(self._taker.take(batch), self._loop).result()

    def _patiently(
        self, consumer: Consumer, attempt: Callable[[], T], until: Callable[[], bool] = lambda: False
    ) -> T | None:
        """What the attempt gives, however long it takes; meanwhile nothing is fetched and we stay in the group."""
        pause = FIRST_PAUSE_SECONDS
        try:
            while not until():
                try:
                    return attempt()
                except Refused as refused:
                    code = refused.code
                except Exception as error:
                    log.exception("batch_failed", reason=type(error).__name__)
                    code = "internal_error"
                self._tell(code)
                self._wait(consumer, pause)
                pause = min(LONGEST_PAUSE_SECONDS, 2 * pause)
            return None
        finally:
            self._resume(consumer)

    def _wait(self, consumer: Consumer, seconds: float) -> None:
        """Stay in the group without reading. Raises: Stopping."""
        if not self._is_paused:
            self._is_paused, self._state = True, "waiting"
            consumer.pause(self._progress.partitions)
        ends = self._clock.monotonic() + seconds
        while self._clock.monotonic() < ends:
            if self._stopping.is_set():
                raise Stopping
            # What was on its way when we paused is kept for the next batch.
            self._carried += self._records(consumer.consume(1, PULL_SECONDS))

    def _resume(self, consumer: Consumer) -> None:
        if self._is_paused:
            self._is_paused, self._state = False, "consuming"
            self._problem = None
            consumer.resume(self._progress.partitions)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._progress.gain(partitions)
        consumer.incremental_assign(partitions)
        if self._is_paused:
            consumer.pause(partitions)
        else:
            self._state, self._problem = "consuming", None
        log.info("partitions_assigned", partitions=len(partitions))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # It goes out before we say that we have let go; whoever is next has it.
        self._progress.say(consumer)
        self._on_lost(consumer, partitions)

    def _on_lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._progress.lose(partitions)
        log.info("partitions_gone", partitions=len(partitions))

    def _on_error(self, error: KafkaError) -> None:
        code = error.code()
        if error.fatal():
            self._is_open = False
            self._tell("stream_broken")
        elif code in NO_ACCESS:
            self._tell("broker_refuses_us")
        elif code in AWAY:
            self._tell("broker_unavailable")
        elif code == KafkaError.UNKNOWN_TOPIC_OR_PART:
            self._tell("topic_missing")

    def _on_statistics(self, text: str) -> None:
        told = statistics_of(text)
        if told.has_broker and self._problem == "broker_unavailable" and not self._is_paused:
            self._tell(None)
        self._lag = told.lag(self._progress.ends) if self._progress.ends else None

    def _tell(self, problem: str | None) -> None:
        """Keep it for whoever asks, and write it down when it is news."""
        if problem != self._problem:
            self._problem = problem
            log.warning("stream_hindered", reason=problem) if problem else log.info("stream_goes_on")


def _bytes(key: str | bytes | None) -> bytes | None:
    return key.encode() if isinstance(key, str) else key
