"""How this house opens a SQLite file: readable by its owner alone, and every commit on the disk."""

import os
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url

BUSY_TIMEOUT_MS: Final = 5_000
"""How long another process may hold the database before we refuse: it fails closed, the caller gets a 503."""
CACHED_STATEMENTS: Final = 512


def database_file(url: str) -> Path:
    """The file that a URL like `sqlite:////var/lib/x.db` names."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise ValueError("the database is given as sqlite:///path/to/file.db")
    return Path(parsed.database).absolute()


def connect(file: Path) -> sqlite3.Connection:
    """A connection whose transactions we begin and end ourselves, and whose commits reach the disk.

    The file is closed to other users of the machine: it holds people's logins.
    """
    _create_private(file)
    connection = sqlite3.connect(
        file,
        timeout=BUSY_TIMEOUT_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
    )
    # Source: sqlite.org/wal.html and sqlite.org/pragma.html#pragma_synchronous: in WAL mode FULL syncs each commit.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _create_private(file: Path) -> None:
    """Make the file if there is none; never hold one open that SQLite might have locked.

    Closing any descriptor of a file drops every POSIX lock that this process holds on it (sqlite.org/howtocorrupt.html,
    section 2.2): another process would then believe itself the last one and delete the log under our feet. So the file
    is made under a name of its own, closed, and only then given its place.
    """
    if file.exists():
        return
    draft = file.with_name(f".{file.name}.{os.getpid()}-{threading.get_ident()}")
    os.close(os.open(draft, os.O_RDWR | os.O_CREAT, 0o600))
    with suppress(FileExistsError):  # somebody else was first
        os.link(draft, file)
    draft.unlink()


def open_engine(url: str) -> Engine:
    """A SQLAlchemy engine for migrations and cold paths, with transactions that cover schema changes too."""
    file = database_file(url)
    engine = create_engine("sqlite://", creator=lambda: connect(file))

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
