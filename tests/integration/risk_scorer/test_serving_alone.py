"""One state directory, one serving process: two would score with histories that the other has not learned."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from risk_scorer.adapters.storage import BadStorage, consume_together, keep_house_here, open_state, serve_alone

HOLDER = """
import sys
from pathlib import Path
from risk_scorer.adapters.storage import serve_alone
serve_alone(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_server_is_turned_away_until_the_first_has_died(tmp_path: Path, root: Path) -> None:
    """The lock goes with the process, however it ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BadStorage, match="another risk-scorer"):
            serve_alone(tmp_path)
        holder.kill()
    serve_alone(tmp_path)


def test_a_database_of_a_later_release_is_refused(tmp_path: Path) -> None:
    """As after a release was taken back: one line instead of tables that it does not know."""
    open_state(tmp_path / "state").close()
    with sqlite3.connect(tmp_path / "state" / "scorer.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'of tomorrow'")
    database.close()
    with pytest.raises(BadStorage, match="a later release has changed its tables"):
        open_state(tmp_path / "state")


def test_those_that_only_consume_share_a_state_and_a_server_does_not(tmp_path: Path) -> None:
    """They keep no histories in memory, so each scores with what all have learned."""
    consume_together(tmp_path)
    consume_together(tmp_path)
    with pytest.raises(BadStorage, match="another risk-scorer"):
        serve_alone(tmp_path)


def test_nobody_consumes_beside_a_server(tmp_path: Path) -> None:
    """It consumes itself, and would not hear of what others learn."""
    serve_alone(tmp_path)
    with pytest.raises(BadStorage, match="consumes itself"):
        consume_together(tmp_path)


def test_one_of_them_keeps_the_house(tmp_path: Path) -> None:
    """What is announced is sent by one process."""
    assert keep_house_here(tmp_path)
    assert not keep_house_here(tmp_path)
