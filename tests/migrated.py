"""Each service's database as the migrations leave it, made once a process and copied: hundreds of tests begin with one.

The migrations themselves are held to account by tests of their own.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from auth_gateway.adapters.storage import open_storage
from plumbing.database import Database
from risk_scorer.adapters.storage import open_database
from tests.postgresql import Server


def migrated(file: Path) -> Path:
    """The file, which is a new database of the gateway's newest schema; one that is there already is left alone."""
    return _written(file, open_storage)


def migrated_scorer(file: Path) -> Path:
    """The same for the scorer."""
    return _written(file, open_database)


def migrated_storage(file: Path) -> Database:
    """The gateway's storage in that file."""
    return open_storage(f"sqlite:///{migrated(file)}")


def migrated_database(server: Server) -> Iterator[str]:
    """The address of a database of the newest schema on it, empty; whoever is still connected afterwards is cut off."""
    url = server.kept("migrated", lambda new: open_storage(new).close())
    yield url
    server.cut_off(url)
    server.empty(url)


def _written(file: Path, opened: Callable[[str], Database]) -> Path:
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_bytes(_content(opened))
        os.chmod(file, 0o600)
    return file


@cache
def _content(opened: Callable[[str], Database]) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "new.db"
        opened(f"sqlite:///{file}").close()
        assert not file.with_name("new.db-wal").exists()
        return file.read_bytes()
