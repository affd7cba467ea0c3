"""Publishes records to Apache Kafka, and knows when all of them are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from msgspec.structs import replace

from plumbing.refusals import Refused
from risk_scorer.adapters.kafka_config import KafkaSettings, producer_config
from risk_scorer.flows.ports import StreamMessage

LARGEST_BYTES: Final = 900_000
"""A record that was just small enough to come in has headers added when it goes on; past this its value is cut."""
CUT_BYTES: Final = 1000
"""What is left of it where a topic takes even less."""
PATIENCE_SECONDS: Final = 2.0
ASK_SECONDS: Final = 1.0

log = structlog.get_logger(__name__)


class Publisher:
    """One batch at a time, on one thread."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._producer = Producer(
            {**producer_config(settings), "on_delivery": self._on_failure, "error_cb": self._on_error}
        )
        self._waiting: Sequence[StreamMessage] = ()
        self._largest = LARGEST_BYTES
        self._failed = 0
        self.is_broken = False

    def begin(self, messages: Sequence[StreamMessage]) -> None:
        """Take these; `finish` says when they are there."""
        self._waiting, self._failed, self._largest = messages, 0, LARGEST_BYTES
        self._hand_in()

    def finish(self) -> None:
        """Every message that was taken is at the brokers when this returns.

        Raises: Refused (503) when they are not there yet; ask again.
        """
        left = self._producer.flush(PATIENCE_SECONDS)
        if self._failed:
            self._failed = 0
            self._hand_in()
            raise Refused("publish_failed", "The broker did not take the results.", status=503)
        if left:
            code, text = self._hindrance()
            raise Refused(code, text, status=503)

    def close(self) -> None:
        """Let go of what nobody waits for any more."""
        self._producer.purge()
        self._producer.flush(1.0)

    def _hindrance(self) -> tuple[str, str]:
        """Why messages wait; the client keeps those for a topic that is not there as if the broker were away."""
        try:
            for topic in sorted({message.topic for message in self._waiting}):
                error = self._producer.list_topics(topic, timeout=ASK_SECONDS).topics[topic].error
                if error is not None and error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    return "topic_missing", "A topic for results is not there."
        except KafkaException:
            return "broker_unavailable", "The broker is not available now."
        return "publish_failed", "The broker has not taken the results yet."

    def _hand_in(self) -> None:
        produce = self._producer.produce
        for message in self._waiting:
            whole = _fitting(message, self._largest)
            while True:
                try:
                    produce(whole.topic, value=whole.value, key=whole.key, headers=list(whole.headers))
                    break
                except BufferError:
                    self._producer.poll(0.1)
                except KafkaException as error:
                    self._on_failure(error.args[0], None)
                    break

    def _on_failure(self, error: KafkaError | None, _message: Message | None) -> None:
        if error is None:
            return
        self._failed += 1
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            self._largest = CUT_BYTES
        if self._failed == 1:
            log.warning("result_not_published", reason=error.name())

    def _on_error(self, error: Any) -> None:
        self.is_broken = self.is_broken or error.fatal()


def _fitting(message: StreamMessage, largest: int) -> StreamMessage:
    """The message, or its beginning where it would not fit; results are far smaller than any limit."""
    if message.value is None or len(message.value) <= largest or not message.headers:
        return message
    return replace(message, value=message.value[:largest], headers=(*message.headers, ("cut", b"true")))
