"""SQL text that is compiled once, and the transaction that runs it straight on the driver.

Only str, bytes, int, float and None cross, whatever the database: no ORM, no type conversion; a truth value comes back
as 0 or 1. Tables are declared with SQLAlchemy Core, so that the same statement compiles for each dialect.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from time import perf_counter
from typing import Any, Final, NamedTuple

from sqlalchemy import Boolean, ClauseElement
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect

from plumbing.refusals import Refused

STEPS_BETWEEN_LOOKS: Final = 50_000
"""Of SQLite's own machine, a few milliseconds: so often it is asked whether a question has taken too long."""

Value = str | bytes | int | float | None
Row = tuple[Any, ...]
"""One row as the driver gives it; its columns are the statement's, which no type checker can follow."""


@cache
def _dialect(name: str) -> Dialect:
    if name == "sqlite":
        return sqlite.dialect(paramstyle="qmark")
    from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

    return PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]


class Compiled(NamedTuple):
    """SQL of one dialect: `names` are the parameters in the order of their marks, `fixed` those with a known value.

    `truths` are the places of truth values, for a database that does not take 0 and 1 for them.
    """

    sql: str
    names: tuple[str, ...]
    fixed: Mapping[str, Value]
    expected: frozenset[str]
    truths: tuple[int, ...]


class Statement:
    """A SQLAlchemy Core expression with `bindparam` names, compiled on first use and never again.

    Make it once, as a constant of the module. An `insert(table)` without values takes every column as a parameter;
    a column default that lives in Python is refused. `IN` over a list has no fixed text: use `json_each` or a loop.
    For `ON CONFLICT` take the `insert` of `sqlalchemy.dialects.postgresql`: it compiles for both databases.
    """

    def __init__(self, expression: ClauseElement) -> None:
        self.expression = expression
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: str = "sqlite") -> Compiled:
        """The text and parameter order for a dialect."""
        found = self._compiled.get(dialect)
        if found is None:
            found = self._compiled[dialect] = _compile(self.expression, _dialect(dialect))
        return found


def _compile(expression: ClauseElement, dialect: Dialect) -> Compiled:
    ready: Any = expression.compile(dialect=dialect)
    if "POSTCOMPILE" in ready.string:
        raise ValueError("the text of this statement depends on its values, so it cannot be compiled once")
    if getattr(ready, "insert_prefetch", ()) or getattr(ready, "update_prefetch", ()):
        raise ValueError("a column default that lives in Python would be lost: give the value as a parameter")
    names = tuple(ready.positiontup or ())
    asked = frozenset(name for name in names if ready.binds[name].required)
    fixed = {name: ready.params[name] for name in names if name not in asked}
    truths = tuple(i for i, name in enumerate(names) if isinstance(ready.binds[name].type, Boolean))
    return Compiled(ready.string, names, fixed, asked, truths)


def ordered(compiled: Compiled, given: Mapping[str, Value]) -> list[Value]:
    """The values in the order of the marks.

    Raises: TypeError when one is missing or not asked for.
    """
    if given.keys() != compiled.expected:
        odd = sorted(given.keys() ^ compiled.expected)
        raise TypeError(f"parameters missing or not asked for: {', '.join(odd)}")
    fixed = compiled.fixed
    if fixed:
        return [fixed[name] if name in fixed else given[name] for name in compiled.names]
    return [given[name] for name in compiled.names]


def plain(compiled: Compiled) -> Compiled:
    """The same, all of whose values are given and cross as they are. Raises: TypeError."""
    if compiled.fixed or compiled.truths:
        raise TypeError("values of this statement are fixed, or have to be converted")
    return compiled


class Transaction:
    """What a job may do with the database while it holds the transaction; it neither commits nor rolls back.

    A job does not go on after one of its statements was refused: then nothing it did is kept.
    """

    __slots__ = ("_connection", "said", "traceparent")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.said: list[object] | None = None
        self.traceparent: str | None = None

    def say(self, fact: object) -> None:
        """Let those who listen to the database know of it once this transaction is committed, and only then."""
        if self.said is not None:
            self.said.append(fact)

    def run(self, statement: Statement, /, **values: Value) -> int:
        """Run it; the number of rows it changed."""
        compiled = statement.compiled()
        return self._connection.execute(compiled.sql, ordered(compiled, values)).rowcount

    def one(self, statement: Statement, /, **values: Value) -> Row | None:
        """Its first row, or nothing."""
        compiled = statement.compiled()
        row: Row | None = self._connection.execute(compiled.sql, ordered(compiled, values)).fetchone()
        return row

    def all(self, statement: Statement, /, **values: Value) -> list[Row]:
        """All its rows."""
        compiled = statement.compiled()
        return self._connection.execute(compiled.sql, ordered(compiled, values)).fetchall()

    def many(self, statement: Statement, rows: Sequence[Mapping[str, Value]], /) -> int:
        """Run it for each row of parameters; the number of rows changed in all."""
        compiled = statement.compiled()
        return self._connection.executemany(compiled.sql, [ordered(compiled, row) for row in rows]).rowcount

    def listed(self, statement: Statement, rows: Sequence[Sequence[Value]], /) -> int:
        """`many` for rows by the thousand: the values of each in the order of the statement's `names`, unchecked."""
        return self._connection.executemany(plain(statement.compiled()).sql, rows).rowcount

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """For questions that somebody waits for: what is asked in this block is given up after so long.

        Raises: Refused: 503 `took_too_long`.
        """
        end = perf_counter() + seconds
        self._connection.set_progress_handler(lambda: perf_counter() > end, STEPS_BETWEEN_LOOKS)
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            raise took_too_long() from error
        finally:
            self._connection.set_progress_handler(None, 0)

    def each(self, statement: Statement, rows: Sequence[Mapping[str, Value]], /) -> list[int]:
        """Run it for each row of parameters, which need not wait for one another; what each of them changed."""
        compiled = statement.compiled()
        execute = self._connection.cursor().execute
        return [execute(compiled.sql, ordered(compiled, row)).rowcount for row in rows]


def took_too_long() -> Refused:
    """The database was at it for as long as somebody was ready to wait."""
    return Refused("took_too_long", "That takes longer than a page may: ask for a shorter span.", status=503)
