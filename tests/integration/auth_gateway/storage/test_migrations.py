"""The schema that migrations make is the schema that the code means."""

import re
import sqlite3
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.tables import metadata
from plumbing.database import Database


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


def test_alembic_sees_no_difference_either(database: Database) -> None:
    """The tool that would write the next migration has nothing to write."""
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    """A second start finds everything in place."""
    url = f"sqlite:///{tmp_path}/gateway.db"
    open_storage(url).close()
    before = schema(tmp_path / "gateway.db")
    open_storage(url).close()
    assert schema(tmp_path / "gateway.db") == before
