"""A gateway's storage on a real SQLite file and on a real PostgreSQL server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.core.account import Account
from plumbing.database import Database
from tests.migrated import migrated

ALICE = Account(user_id="alice", username="alice", display_name="Alice", password_hash="$2b$12$abc", created_at=1.0)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The newest schema, with one account in it."""
    if database_url.startswith("sqlite"):
        migrated(Path(database_url.removeprefix("sqlite:///")))
    storage = open_storage(database_url)
    storage.write_sync(lambda tx: StoredUsers().add(tx, ALICE))
    yield storage
    storage.close()
