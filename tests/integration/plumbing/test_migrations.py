"""A database comes to the newest schema once, whoever starts first and wherever it stopped."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from plumbing.database import upgrade

MIGRATION = """
import time
from alembic import op
import sqlalchemy as sa

revision, down_revision, branch_labels, depends_on = {revision!r}, {down!r}, None, None


def upgrade():
    op.create_table({table!r}, sa.Column("id", sa.Text, primary_key=True))
    {also}
"""


def add_migration(place: Path, revision: str, down: str | None, table: str, also: str = "") -> None:
    (place / "versions").mkdir(parents=True, exist_ok=True)
    text = MIGRATION.format(revision=revision, down=down, table=table, also=also)
    (place / "versions" / f"{revision}.py").write_text(text)


def tables(file: Path) -> set[str]:
    connection = sqlite3.connect(file)
    found = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with one migration."""
    add_migration(tmp_path / "scripts", "0001", None, "people")
    return tmp_path / "scripts"


def test_a_new_database_is_made_and_an_old_one_brought_up(tmp_path: Path, place: Path) -> None:
    """A second run changes nothing; a new migration is run alone."""
    url = f"sqlite:///{tmp_path}/new/place/x.db"
    upgrade(url, str(place))
    upgrade(url, str(place))
    assert tables(tmp_path / "new/place/x.db") == {"alembic_version", "people"}
    add_migration(place, "0002", "0001", "coins")
    upgrade(url, str(place))
    assert tables(tmp_path / "new/place/x.db") == {"alembic_version", "people", "coins"}


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path: Path, place: Path) -> None:
    """Neither its own table nor that of the migration before it remains, so that it can be run again."""
    url = f"sqlite:///{tmp_path}/x.db"
    add_migration(place, "0002", "0001", "coins", also='raise RuntimeError("on purpose")')
    with pytest.raises(RuntimeError, match="on purpose"):
        upgrade(url, str(place))
    assert tables(tmp_path / "x.db") == set()
    add_migration(place, "0002", "0001", "coins")
    upgrade(url, str(place))
    assert tables(tmp_path / "x.db") == {"alembic_version", "people", "coins"}


def test_processes_that_start_at_once_migrate_once(tmp_path: Path, place: Path, root: Path) -> None:
    """The others wait for the first and find nothing left to do."""
    add_migration(place, "0002", "0001", "coins", also="time.sleep(0.5)")
    script = "import sys; from plumbing.database import upgrade; upgrade(sys.argv[1], sys.argv[2])"
    command = [sys.executable, "-c", script, f"sqlite:///{tmp_path}/x.db", str(place)]
    racing = [subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE) for _ in range(3)]
    outcomes = [(process.communicate()[1], process.returncode) for process in racing]
    assert outcomes == [(b"", 0)] * 3
    assert tables(tmp_path / "x.db") == {"alembic_version", "people", "coins"}
