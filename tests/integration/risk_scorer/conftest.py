"""The scorer's storage as it runs: a real file, and a database on a real server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from plumbing.clock import FixedClock
from plumbing.connections import open_engine
from plumbing.database import Database
from plumbing.postgresql_store import open_engine as open_server
from plumbing.randomness import SeededRandomness
from risk_scorer.adapters.storage import open_database
from tests.migrated import migrated_scorer
from tests.postgresql import Server

NOW = 1_760_000_000.0


@pytest.fixture
def anyio_backend() -> str:
    """The event loop under a test marked `anyio`."""
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgresql"])
def scorer_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{migrated_scorer(tmp_path / 'scorer.db')}"
        return
    server: Server = request.getfixturevalue("postgresql_server")
    url = server.kept("scorer", lambda new: open_database(new).close())
    yield url
    server.empty(url)


@pytest.fixture
def database(scorer_url: str) -> Iterator[Database]:
    """It, opened."""
    opened = open_database(scorer_url)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def randomness() -> SeededRandomness:
    return SeededRandomness(7)


@pytest.fixture
def run_sql(scorer_url: str) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """A statement of the test's own, on a connection of its own; the rows of a query."""
    engine = open_engine(scorer_url) if scorer_url.startswith("sqlite") else open_server(scorer_url)

    def run(sql: str) -> list[tuple[Any, ...]]:
        with engine.begin() as connection:
            result = connection.exec_driver_sql(sql)
            return [tuple(row) for row in result] if result.returns_rows else []

    yield run
    engine.dispose()
