"""The migrations build exactly what the repositories use."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from plumbing.database import Database
from risk_scorer.adapters.storage import answers, open_database
from risk_scorer.adapters.tables import metadata


def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    """No table, column or index differs between the migrations and the metadata."""
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == []


def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    """A second start finds the newest schema and leaves it."""
    url = f"sqlite:///{tmp_path}/scorer.db"
    open_database(url).close()
    again = open_database(url)
    assert answers(again)
    again.close()
