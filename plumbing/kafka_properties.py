"""An operator's file of librdkafka properties: TLS, SASL and whatever else a cluster of Apache Kafka asks for.

Source for the names: librdkafka, CONFIGURATION.md.
"""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

OURS: Final = frozenset(
    {"enable.auto.commit", "enable.auto.offset.store", "partition.assignment.strategy", "enable.idempotence", "acks"}
)
"""What delivery rests on: no file of an operator changes it."""

_BROKER: Final = re.compile(r"(?:[A-Z_]{1,32}://)?(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")

ADDRESSES: Final = frozenset({"bootstrap.servers", "metadata.broker.list"})
"""Where the brokers are is KAFKA_BROKER's to say; a client that knows none connects to nothing."""


def brokers(listed: str) -> str:
    """The same list of `host:port` with commas between. Raises: ValueError for what a client would repeat in its log
    and never connect to, a name and a password before an address among it."""
    if not listed or not all(_BROKER.fullmatch(one.strip()) for one in listed.split(",")):
        raise ValueError("KAFKA_BROKER is host:port, more with commas between; who we are goes to KAFKA_CONFIG")
    return listed


class BadKafkaConfig(ValueError):
    """KAFKA_CONFIG cannot be used; the text is one line for the operator and shows no value."""


def properties_of(file: Path | None) -> dict[str, str]:
    """The properties in the file, `name=value` a line; none without a file. Raises: BadKafkaConfig."""
    if file is None:
        return {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise BadKafkaConfig(f"KAFKA_CONFIG cannot be read: {type(error).__name__}") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign or not name.strip():
            raise BadKafkaConfig(f"KAFKA_CONFIG: line {number} is not name=value")
        if name.strip() in OURS:
            raise BadKafkaConfig(f"KAFKA_CONFIG: {name.strip()} is set by us")
        found[name.strip()] = value.strip()
    return found


def usable_properties_of(file: Path | None) -> dict[str, str]:
    """The properties in the file, once the client library has taken them; nothing is connected to.

    Raises: BadKafkaConfig.
    """
    found = properties_of(file)
    if found:
        _try(found)
    return found


def _try(found: Mapping[str, str]) -> None:
    from confluent_kafka import Consumer, KafkaException, Producer

    logger = logging.getLogger("plumbing.librdkafka")
    logger.disabled = True
    given = {name: value for name, value in found.items() if name not in ADDRESSES}
    ours = {"group.id": "riskgate", "partition.assignment.strategy": "cooperative-sticky", "logger": logger}
    try:
        Consumer({**given, **ours}).close()
        Producer({**given, "enable.idempotence": True, "acks": "all", "logger": logger})
    except (KafkaException, TypeError, ValueError) as error:
        # What it says may repeat a value; what the operator wrote as a name is none.
        named = sorted((name for name in found if name in str(error)), key=len)[-1:]
        raise BadKafkaConfig(
            f"KAFKA_CONFIG: the Kafka client refuses {named[0] if named else 'what it says'}"
        ) from None
