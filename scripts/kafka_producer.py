#!/usr/bin/env python3
"""Stream a login log (CSV, in our schema or the RBA data set's) to a Kafka topic: an event a row, keyed by the person.

A row always makes the same event with the same id, so a file that is streamed twice is scored once.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

try:
    import msgspec
    from confluent_kafka import KafkaError, KafkaException, Message, Producer

    from training.log_schemas import Schema, matching_schema
    from training.refusals import WrongInputError
except ImportError as missing:
    sys.exit(f"kafka_producer: {missing.name} is missing; run it with .venv/bin/python, which scripts/test makes")

FIELDS = {
    "timestamp", "user_id", "ip", "user_agent", "device_id", "success", "country", "region", "city", "ja4", "ja4h",
    "ja4s", "asn", "ip_rep", "event_id",
}  # fmt: skip
TRUE = frozenset({"true", "1", "yes"})
ID_BYTES = 12
PATIENCE_SECONDS = 60.0

encode = msgspec.json.Encoder().encode


def events(log: TextIO) -> Iterator[dict[str, Any]]:
    """The rows in order, each as the scorer takes it. Raises: WrongInputError for columns that we do not know."""
    reader = csv.DictReader(log)
    schema, spelled = matching_schema(reader.fieldnames or [])
    columns = {field: name for field, name in spelled.items() if field in FIELDS}
    for number, row in enumerate(reader):
        yield event_of(row, number, columns, schema)


def event_of(row: Mapping[str, str | None], number: int, columns: Mapping[str, str], schema: Schema) -> dict[str, Any]:
    """One event; what cannot be read as what it should be goes as it is, for the scorer to set aside."""
    found: dict[str, Any] = {}
    for field, name in columns.items():
        text = (row.get(name) or "").strip()
        if text not in schema.missing:
            found[field] = text
    if "success" in found:
        found["success"] = found["success"].casefold() in TRUE
    for field, kind in (("asn", int), ("ip_rep", float)):
        if field in found:
            try:
                found[field] = kind(found[field])
            except ValueError:
                del found[field]
    found.setdefault("event_id", f"row_{blake2b(repr((number, found)).encode(), digest_size=ID_BYTES).hexdigest()}")
    return found


class Failures:
    """Counts what no broker took."""

    def __init__(self) -> None:
        self.count, self.reason = 0, ""

    def __call__(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self.count, self.reason = self.count + 1, error.name()


def produce(given: argparse.Namespace) -> int:
    """Stream the file; how many events the brokers took."""
    failures = Failures()
    producer = Producer(
        {
            "bootstrap.servers": given.broker,
            "enable.idempotence": True,
            "linger.ms": 20,
            "compression.type": "lz4",
            "delivery.report.only.error": True,
            "on_delivery": failures,
        }
    )
    sent, stopped = 0, ""
    try:
        for _ in stream(producer, given):
            sent += 1
    except KeyboardInterrupt:
        stopped = "interrupted"
    except (UnicodeError, csv.Error) as error:
        what = "is not UTF-8" if isinstance(error, UnicodeError) else str(error)
        stopped = f"the file cannot be read on: {what}"
    left = producer.flush(PATIENCE_SECONDS)
    if left or failures.count:
        sys.exit(
            f"kafka_producer: {left + failures.count} of {sent} events did not arrive ({failures.reason or 'late'})"
        )
    if stopped:
        sys.exit(f"kafka_producer: {stopped}; {sent} events arrived")
    return sent


def stream(producer: Producer, given: argparse.Namespace) -> Iterator[None]:
    """Hand in one event after the other; comes back after each."""
    began = time.monotonic()
    with open(given.csv, encoding="utf-8-sig", newline="") as log:  # with or without a byte order mark
        for sent, event in enumerate(events(log)):
            if given.limit is not None and sent >= given.limit:
                return
            if given.rate:
                time.sleep(max(0.0, began + sent / given.rate - time.monotonic()))
            hand_in(producer, given.topic, event)
            yield


def hand_in(producer: Producer, topic: str, event: Mapping[str, Any]) -> None:
    """Queue one event, waiting while the queue is full."""
    while True:
        try:
            producer.produce(topic, value=encode(event), key=str(event.get("user_id", "")))
        except BufferError:
            producer.poll(0.5)
        else:
            producer.poll(0)
            return


def rate(text: str) -> float:
    """Events a second. Raises: ValueError, told as a wrong argument."""
    found = float(text)
    if not 0.0 <= found < float("inf"):
        raise ValueError(text)
    return found


def limit(text: str) -> int:
    """How many events, one at least. Raises: ValueError, told as a wrong argument."""
    found = int(text)
    if found < 1:
        raise ValueError(text)
    return found


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--csv", required=True, type=Path, help="the log, such as data/sample_logins.csv")
    parser.add_argument("--topic", default="login-events")
    parser.add_argument("--broker", default="localhost:9092")
    parser.add_argument("--rate", type=rate, default=0.0, help="events a second; 0: as fast as it goes")
    parser.add_argument("--limit", type=limit, help="stop after so many events")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> None:
    """The command."""
    wanted = arguments(given)
    try:
        print(f"{produce(wanted)} events to {wanted.topic}")
    except (OSError, WrongInputError) as error:
        sys.exit(f"kafka_producer: {error}")
    except KafkaException as error:
        sys.exit(f"kafka_producer: {error.args[0].name()}")


if __name__ == "__main__":
    main()
