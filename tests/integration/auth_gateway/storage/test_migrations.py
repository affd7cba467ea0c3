"""The schema that migrations make is the schema that the code means."""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from auth_gateway.adapters.storage import MIGRATIONS, open_storage
from auth_gateway.adapters.storage.refresh_tokens import StoredRefreshTokens
from auth_gateway.adapters.storage.sessions import StoredSessions
from auth_gateway.adapters.storage.tables import metadata
from plumbing.database import Database, upgrade
from tests.postgresql import is_whole

OLD_ROWS = (
    "INSERT INTO users VALUES ('alice', 'alice', 'Alice', 'x', 'x', 1, 0, 0.0)",
    "INSERT INTO sessions VALUES"
    " ('s1', 'alice', 'web', 'pwd', 'aal1', 1, '198.51.100.9', 'Firefox', NULL, 10.0, 1.0, 9.0, NULL, NULL)",
    "INSERT INTO refresh_families VALUES ('f1', 's1', 'web', 1.0, NULL)",
    "INSERT INTO refresh_tokens VALUES (x'746f6b656e', 'f1', 1.0, 9.0, NULL, NULL)",
)


def schema(file: Path) -> dict[str, list[str]]:
    """What SQLite itself keeps of each table and index: its clauses, without names of types' spelling and order."""
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {
        name: sorted(clause.strip(" \t,)") for clause in re.split(r",|\n", sql) if clause.strip(" \t,)"))
        for name, sql in rows
        if name != "alembic_version"
    }


def test_migrations_make_what_the_metadata_says(tmp_path: Path) -> None:
    """Every table, column, key, index with its condition, and WITHOUT ROWID; both ways."""
    open_storage(f"sqlite:///{tmp_path}/migrated.db").close()
    engine = create_engine(f"sqlite:///{tmp_path}/declared.db")
    metadata.create_all(engine)
    engine.dispose()
    assert schema(tmp_path / "migrated.db") == schema(tmp_path / "declared.db")


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_alembic_sees_no_difference_either(database: Database) -> None:
    """The tool that would write the next migration has nothing to write."""
    with database.engine.connect() as connection:
        assert (
            compare_metadata(MigrationContext.configure(connection, opts={"include_object": is_whole}), metadata) == []
        )


def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    """A second start finds everything in place."""
    url = f"sqlite:///{tmp_path}/gateway.db"
    open_storage(url).close()
    before = schema(tmp_path / "gateway.db")
    open_storage(url).close()
    assert schema(tmp_path / "gateway.db") == before


def test_sessions_of_the_first_schema_live_on(tmp_path: Path) -> None:
    """Their tokens still refresh; what was not kept then is unknown now, and nobody vouched."""
    first = tmp_path / "migrations"
    (first / "versions").mkdir(parents=True)
    shutil.copy(MIGRATIONS / "versions" / "0001_first_tables.py", first / "versions")
    url = f"sqlite:///{tmp_path}/gateway.db"
    upgrade(url, str(first))
    with closing(sqlite3.connect(tmp_path / "gateway.db")) as connection, connection:
        for row in OLD_ROWS:
            connection.execute(row)
    database = open_storage(url)
    try:
        held = database.read(lambda tx: StoredRefreshTokens().hold(tx, b"token"))
        counted = [
            database.write_sync(lambda tx: StoredRefreshTokens().count_refusal(tx, "f1", now=5000.0)) for _ in range(2)
        ]
        session = database.read(lambda tx: StoredSessions().find(tx, "s1"))
    finally:
        database.close()
    assert counted == [1, 2]
    assert held is not None
    assert session is not None
    assert (held.origin.ip, held.origin.ja4, held.origin.is_vouched) == ("198.51.100.9", None, False)
    assert (held.username, held.session_id, session.ja4, bool(session.is_vouched)) == ("alice", "s1", None, False)
