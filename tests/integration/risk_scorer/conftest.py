"""The scorer's storage as it runs: a real file, migrated."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.randomness import SeededRandomness
from risk_scorer.adapters.storage import open_database

NOW = 1_760_000_000.0


@pytest.fixture
def anyio_backend() -> str:
    """The event loop under a test marked `anyio`."""
    return "asyncio"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A fresh, migrated database."""
    opened = open_database(f"sqlite:///{tmp_path}/scorer.db")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def randomness() -> SeededRandomness:
    return SeededRandomness(7)
