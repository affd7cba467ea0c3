"""Messages to a topic of Apache Kafka. What a message says, and whose it is, is its sender's matter.

Delivered is what the brokers have acknowledged, on every replica. At least once, as to any receiver: whoever reads the
topic goes by the id in the message. Source for the names: librdkafka, CONFIGURATION.md.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from plumbing.clock import Clock
from webhooks.endpoint import Carrier, Merge
from webhooks.targets import Resolver
from webhooks.transport import Attempt

TAKEN: Final = 200
POLL_SECONDS: Final = 0.1
FINAL: Final = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD})

KeyOf = Callable[[bytes], bytes | None]
"""A body → the key of its record, which decides its partition."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KafkaReceiver:
    """The outbox's endpoint for one topic. Each message is a record of its own."""

    name: str
    brokers: str
    topic: str
    key_of: KeyOf
    properties: Mapping[str, str] = field(default_factory=dict)
    concurrency: int = 64
    linger_seconds: float = 0.0

    @property
    def merge(self) -> Merge | None:
        """The client batches by itself."""
        return None

    @asynccontextmanager
    async def opened(self, *, clock: Clock, resolver: Resolver, deadline_seconds: float) -> AsyncIterator[Carrier]:
        """What carries its messages; the brokers may be away at first."""
        carrier = KafkaCarrier(self, deadline_seconds)
        polling = asyncio.create_task(carrier.poll())
        try:
            yield carrier
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)
            await asyncio.to_thread(carrier.close)


class KafkaCarrier:
    """Hands messages to the client library and waits for what it says of each."""

    def __init__(self, receiver: KafkaReceiver, deadline_seconds: float) -> None:
        self._receiver = receiver
        self._loop = asyncio.get_running_loop()
        quiet = logging.getLogger("webhooks.librdkafka")
        quiet.disabled = True  # it repeats itself many times a second while a broker is away; attempts are told anyway
        self._producer = Producer(
            {
                "linger.ms": 5,
                "client.id": "riskgate-outbox",
                **receiver.properties,
                "bootstrap.servers": receiver.brokers,
                "enable.idempotence": True,
                "acks": "all",
                # Over by the deadline, so that an attempt that has failed does not arrive while the next is made.
                "delivery.timeout.ms": max(1000, int(deadline_seconds * 1000)),
                "logger": quiet,
            }
        )

    async def carry(self, message_id: str, body: bytes) -> Attempt:
        """One attempt; over when the brokers have it or the deadline has passed."""
        done: asyncio.Future[Attempt] = self._loop.create_future()

        def tell(error: KafkaError | None, _message: Message) -> None:
            self._loop.call_soon_threadsafe(_resolve, done, _attempt(error))

        try:
            self._producer.produce(
                self._receiver.topic,
                value=body,
                key=self._receiver.key_of(body),
                headers=[("id", message_id.encode())],
                on_delivery=tell,
            )
        except BufferError:
            return Attempt(problem="queue_full")
        except KafkaException as error:
            return _attempt(error.args[0])
        return await done

    async def poll(self) -> None:
        """Hear what became of messages, for ever, beside the event loop."""
        while True:
            await asyncio.to_thread(self._producer.poll, POLL_SECONDS)

    def close(self) -> None:
        """Let go of what is not delivered: it waits in the outbox."""
        self._producer.purge()
        self._producer.flush(1.0)


def _resolve(done: asyncio.Future[Attempt], attempt: Attempt) -> None:
    if not done.done():  # its lane may have ended meanwhile
        done.set_result(attempt)


def _attempt(error: Any) -> Attempt:
    if error is None:
        return Attempt(status=TAKEN)
    return Attempt(problem=f"kafka{error.name().lower()}", is_final=error.code() in FINAL)
