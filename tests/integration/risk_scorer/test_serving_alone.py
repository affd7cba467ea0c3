"""One state directory, one serving process: two would score with histories that the other has not learned."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from risk_scorer.adapters.storage import BadStorage, open_state, serve_alone

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
