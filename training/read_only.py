"""A service's database as training may see it: read and nothing else, a page at a time.

Fails closed: a database that is away or held ends the command with a code, and nothing is trained on half of it.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from sqlalchemy import Table, select
from sqlalchemy.exc import SQLAlchemyError

from plumbing.connections import BUSY_TIMEOUT_MS, database_file
from plumbing.postgresql import DriverMissing, is_postgresql, require_driver
from plumbing.statements import Row, Statement, Value, ordered
from training.refusals import UnreachableError, WrongInputError

_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
SCHEMES = ("sqlite:", "postgresql:", "postgres:")


class _Connection(Protocol):
    def execute(self, query: Any, parameters: Sequence[Any] = (), /) -> Any: ...


class Reading:
    """A connection that cannot write. Each statement sees what is committed when it begins."""

    def __init__(self, connection: _Connection, dialect: str, name: str) -> None:
        self._connection = connection
        self._dialect = dialect
        self._name = name

    def require(self, table: Table) -> None:
        """Raises WrongInputError("not_an_event_log") where the table, or a column of it, is missing."""
        try:
            self.all(Statement(select(table).limit(0)))
        except Exception as cause:
            if not _is_of_another_shape(cause):
                raise
            lacking = f"{self._name} has no table {table.name}, or an older one"
            raise WrongInputError("not_an_event_log", f"{lacking}: give the scorer's database, migrated") from cause

    def all(self, statement: Statement, **values: Value) -> list[Row]:
        """All its rows."""
        compiled = statement.compiled(self._dialect)
        found: list[Row] = self._connection.execute(compiled.sql, ordered(compiled, values)).fetchall()
        return found


def _is_of_another_shape(error: Exception) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return str(error).startswith(("no such table", "no such column"))
    # Source: postgresql.org/docs/current/errcodes-appendix.html, undefined_table and undefined_column.
    return getattr(error, "sqlstate", None) in ("42P01", "42703")


def is_database(source: str) -> bool:
    """Whether this names a database, not a file."""
    return source.startswith(SCHEMES)


def name_of(url: str) -> str:
    """What people call it: the file's name, or that of the database; never its address, which may hold a password."""
    path, _, _ = url.partition("?")
    return path.rpartition("/")[2] or "the database"


@contextlib.contextmanager
def opened(url: str, *, needed: Sequence[Table]) -> Iterator[Reading]:
    """The database of that URL, which must have the tables `needed`.

    Raises WrongInputError: no_such_file, unreadable_file, bad_source, not_an_event_log; UnreachableError:
    driver_missing, database_unreachable. So it does where the block reads.
    """
    with _server(url) if is_postgresql(url) else _file(url) as reading:
        for table in needed:
            reading.require(table)
        yield reading


def file_of(url: str) -> Path:
    """The file of a SQLite database. Raises WrongInputError("bad_source")."""
    try:
        return database_file(url)
    except (ValueError, SQLAlchemyError) as cause:
        raise WrongInputError("bad_source", "a database in a file is given as sqlite:///path/to/scorer.db") from cause


@contextlib.contextmanager
def _file(url: str) -> Iterator[Reading]:
    file = file_of(url)
    if not file.exists():
        raise WrongInputError("no_such_file", f"there is no file {file}")
    if not file.is_file():
        raise WrongInputError("not_a_file", f"{file} is not a regular file")
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(file))}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None
        )
        with contextlib.closing(connection):
            yield Reading(connection, "sqlite", file.name)
    except sqlite3.Error as cause:
        if (getattr(cause, "sqlite_errorcode", 0) & 0xFF) in _HELD:
            raise UnreachableError("database_unreachable", f"another process holds {file.name}") from cause
        raise WrongInputError("unreadable_file", f"{file.name} cannot be read as a database: {cause}") from cause


@contextlib.contextmanager
def _server(url: str) -> Iterator[Reading]:
    try:
        require_driver()
    except DriverMissing as cause:
        raise UnreachableError("driver_missing", str(cause)) from cause
    import psycopg

    from plumbing.postgresql_connections import connect_to_read, parameters

    try:
        with contextlib.closing(connect_to_read(parameters(url))) as connection:
            yield Reading(connection, "postgresql", name_of(url))
    except ValueError as cause:
        raise WrongInputError("bad_source", "a database is given as postgresql://user:password@host/name") from cause
    except psycopg.Error as cause:
        why = (str(cause).splitlines() or [""])[0]
        raise UnreachableError("database_unreachable", f"{name_of(url)} cannot be read: {why}") from cause
