"""Up to where each of our places is done, and up to where the group has it: what it was not told it is told again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from plumbing.clock import Clock
from risk_scorer.flows.ports import Place, StreamRecord

AGAIN_SECONDS: Final = 1.0
"""So long after it was told the group is told again, while nothing new is done."""
LAST_SECONDS: Final = 3.0
"""How long the last word before we leave may take; what it does not reach comes again, and is known."""
LISTEN_SECONDS: Final = 0.05

log = structlog.get_logger(__name__)


class Progress:
    """The places that are ours. For the consumer's thread, on which librdkafka calls back; others may read `ends`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._confirmed: dict[Place, int] = {}
        self._said_at = clock.monotonic()
        self._unanswered = 0
        self.ends: dict[Place, int | None] = {}
        """Of each place that is ours, up to where it is done; None where nothing of it has come yet."""

    def gain(self, partitions: Iterable[TopicPartition]) -> None:
        """These are ours from now on; where they stand the group knows."""
        self.ends |= {(each.topic, each.partition): None for each in partitions}

    def lose(self, partitions: Iterable[TopicPartition]) -> None:
        """What is done of these is for whoever has them now to say."""
        for each in partitions:
            self.ends.pop((each.topic, each.partition), None)
            self._confirmed.pop((each.topic, each.partition), None)

    def clear(self) -> None:
        """Nothing is ours."""
        self.ends.clear()
        self._confirmed.clear()
        self._unanswered = 0

    def advance(self, records: Iterable[StreamRecord]) -> None:
        """These are done; of places that we have lost meanwhile nothing is noted."""
        done = {(record.topic, record.partition): record.offset + 1 for record in records}
        self.ends.update((place, end) for place, end in done.items() if place in self.ends)

    @property
    def partitions(self) -> list[TopicPartition]:
        """All that are ours."""
        return [TopicPartition(*place) for place in self.ends]

    @property
    def unconfirmed(self) -> list[TopicPartition]:
        """What is done and not known to have reached the group."""
        return [
            TopicPartition(*place, end)
            for place, end in self.ends.items()
            if end is not None and self._confirmed.get(place) != end
        ]

    def say(self, consumer: Consumer) -> None:
        """Tell the group all that it is not known to have; returns at once, `on_commit` hears what became of it."""
        offsets = self.unconfirmed
        if not offsets:
            return
        self._said_at = self._clock.monotonic()
        try:
            consumer.commit(offsets=offsets)
            self._unanswered += 1
        except KafkaException as error:
            _tell(error.args[0])

    def say_again(self, consumer: Consumer) -> None:
        """The same, where it was said some time ago and every answer to that is there."""
        if self._unanswered == 0 and self._clock.monotonic() - self._said_at >= AGAIN_SECONDS:
            self.say(consumer)

    def say_at_last(self, consumer: Consumer) -> None:
        """The same, and wait until the group has it, at most some seconds. What is read meanwhile is let go of."""
        if not self.unconfirmed:
            return
        ends = self._clock.monotonic() + LAST_SECONDS
        self.say(consumer)
        consumer.pause(self.partitions)
        while self.unconfirmed and self._clock.monotonic() < ends:
            consumer.consume(1, LISTEN_SECONDS)
            self.say_again(consumer)

    def on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """librdkafka's answer to one `commit`; each partition may have failed by itself."""
        self._unanswered = max(0, self._unanswered - 1)
        for each in partitions:
            problem = error or each.error
            if problem is not None:
                _tell(problem)
            elif (each.topic, each.partition) in self.ends:
                self._confirmed[each.topic, each.partition] = each.offset


def _tell(error: KafkaError) -> None:
    """It comes again, and is known."""
    log.info("offsets_not_committed", reason=error.name())
