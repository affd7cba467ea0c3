"""A database comes to the newest schema once, whoever starts first and wherever it stopped."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plumbing.database import upgrade
from plumbing.migrations import NotOurs

MIGRATION = """
import os
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


def test_another_programs_database_is_left_alone(place: Path, database_url: str) -> None:
    """Revisions without the table that ours always make are not ours, whatever they are called; our own stay ours."""
    upgrade(database_url, str(place), own_table="people")
    upgrade(database_url, str(place), own_table="people")
    with pytest.raises(NotOurs, match="another program keeps its tables there"):
        upgrade(database_url, str(place), own_table="histories")


SLOW = """
    open({began!r}, "w").close()
    for _ in range(2_000):
        if os.path.exists({end!r}):
            break
        time.sleep(0.01)
"""
PROCESS = """
import sys
from plumbing import connections
from plumbing.database import upgrade
connections.BUSY_TIMEOUT_MS = 20
print("ready", flush=True)
upgrade(sys.argv[1], sys.argv[2])
"""


def test_processes_that_start_at_once_migrate_once(tmp_path: Path, place: Path, root: Path) -> None:
    """The second waits for the first, longer than for a busy database, and finds nothing left to do."""
    began, end = tmp_path / "began", tmp_path / "end"
    add_migration(place, "0002", "0001", "coins", also=SLOW.format(began=str(began), end=str(end)))
    command = [sys.executable, "-c", PROCESS, f"sqlite:///{tmp_path}/x.db", str(place)]
    first = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not began.exists():
        assert first.poll() is None
        time.sleep(0.01)
    second = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert second.stdout is not None
    assert second.stdout.readline() == "ready\n"
    time.sleep(0.3)
    assert second.poll() is None, second.communicate()
    end.touch()
    assert first.communicate() == ("ready\n", "")
    assert second.communicate() == ("", "")
    assert (first.returncode, second.returncode) == (0, 0)
    assert tables(tmp_path / "x.db") == {"alembic_version", "people", "coins"}
