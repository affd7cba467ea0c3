"""What the gateway's integration tests begin with: a PostgreSQL database that has been migrated."""

from collections.abc import Iterator

import pytest

from tests.migrated import migrated_database
from tests.postgresql import Server


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """A new database of the newest schema; the migrations have tests of their own."""
    yield from migrated_database(postgresql_server)
