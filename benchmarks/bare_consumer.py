"""What any consumer costs: read every record of a topic, decode it, and do nothing with it.

Prints events a second, and the seconds of its core that an event took.
"""

import sys
import time

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from risk_scorer.contract.stream import StreamedLogin

PULL = 200


def main(address: str, topic: str, count: int) -> None:
    """Read so many records."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": "bare", "enable.auto.commit": False})
    partitions = consumer.list_topics(topic, timeout=20.0).topics[topic].partitions
    consumer.assign([TopicPartition(topic, each, OFFSET_BEGINNING) for each in partitions])
    decode = msgspec.json.Decoder(StreamedLogin).decode
    seen, began, core = 0, time.monotonic(), time.process_time()
    while seen < count:
        messages = consumer.consume(PULL, 0.1)
        for message in messages:
            decode(message.value() or b"")
        seen += len(messages)
    told = {"rate": seen / (time.monotonic() - began), "core": (time.process_time() - core) / seen}
    print(msgspec.json.encode(told).decode())
    consumer.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
