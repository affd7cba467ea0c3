"""Engines of their own, each started by the tests that need it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.apache_kafka import ApacheKafka, apache_kafka, version


@pytest.fixture
def kafka(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ApacheKafka]:
    """A running Apache Kafka."""
    installed = version()
    assert installed is not None, "Apache Kafka is not under var/kafka: run scripts/test --services"
    engines = request.config.__dict__.setdefault("riskgate_engines", [])
    if f"Apache Kafka {installed}" not in engines:
        engines.append(f"Apache Kafka {installed}")
    with apache_kafka(tmp_path / "kafka") as broker:
        yield broker
