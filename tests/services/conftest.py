"""Engines of their own, each started by the tests that need it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.services.apache_kafka import ApacheKafka, apache_kafka, version
from tests.services.state import State

if TYPE_CHECKING:
    from training.spark import Spark


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


@pytest.fixture(params=["sqlite", "postgresql"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> State:
    """Where consumers keep what they have done, on each kind of database in turn."""
    return State(tmp_path, None if request.param == "sqlite" else request.getfixturevalue("postgresql_url"))


@pytest.fixture(scope="session")
def spark(request: pytest.FixtureRequest) -> Iterator["Spark"]:
    """Spark in this process, on two cores."""
    from training.spark import running_spark

    with running_spark("local[2]", "") as engine:
        request.config.__dict__.setdefault("riskgate_engines", []).append(engine.name)
        yield engine
