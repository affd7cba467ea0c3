"""An operator's file of librdkafka properties: TLS, SASL and whatever else a cluster of Apache Kafka asks for.

Source for the names: librdkafka, CONFIGURATION.md.
"""

from pathlib import Path
from typing import Final

OURS: Final = frozenset(
    {"enable.auto.commit", "enable.auto.offset.store", "partition.assignment.strategy", "enable.idempotence", "acks"}
)
"""What delivery rests on: no file of an operator changes it."""


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
