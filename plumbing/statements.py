"""SQL text that is compiled once, and the transaction that runs it straight on the driver.

Only str, bytes, int, float and None cross: no ORM, no type conversion. Tables are declared with SQLAlchemy Core, so
that the same statement compiles for another dialect the day there is one.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ClauseElement
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Dialect

Value = str | bytes | int | float | None
Row = tuple[Any, ...]
"""One row as the driver gives it; its columns are the statement's, which no type checker can follow."""

DIALECTS: Final[dict[str, Dialect]] = {"sqlite": sqlite.dialect(paramstyle="qmark")}


class Compiled(NamedTuple):
    """SQL of one dialect: `names` are the parameters in the order of their marks, `fixed` those with a known value."""

    sql: str
    names: tuple[str, ...]
    fixed: Mapping[str, Value]
    expected: frozenset[str]


class Statement:
    """A SQLAlchemy Core expression with `bindparam` names, compiled on first use and never again.

    Make it once, as a constant of the module. An `insert(table)` without values takes every column as a parameter;
    a column default that lives in Python is refused. `IN` over a list has no fixed text: use `json_each` or a loop.
    """

    def __init__(self, expression: ClauseElement) -> None:
        self.expression = expression
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect: str = "sqlite") -> Compiled:
        """The text and parameter order for a dialect."""
        found = self._compiled.get(dialect)
        if found is None:
            found = self._compiled[dialect] = _compile(self.expression, DIALECTS[dialect])
        return found


def _compile(expression: ClauseElement, dialect: Dialect) -> Compiled:
    ready: Any = expression.compile(dialect=dialect)
    if "POSTCOMPILE" in ready.string:
        raise ValueError("the text of this statement depends on its values, so it cannot be compiled once")
    if getattr(ready, "insert_prefetch", ()) or getattr(ready, "update_prefetch", ()):
        raise ValueError("a column default that lives in Python would be lost: give the value as a parameter")
    names = tuple(ready.positiontup or ())
    asked = frozenset(name for name in names if ready.binds[name].required)
    return Compiled(ready.string, names, {name: ready.params[name] for name in names if name not in asked}, asked)


def _ordered(compiled: Compiled, given: Mapping[str, Value]) -> Sequence[Value]:
    if given.keys() != compiled.expected:
        odd = sorted(given.keys() ^ compiled.expected)
        raise TypeError(f"parameters missing or not asked for: {', '.join(odd)}")
    fixed = compiled.fixed
    if fixed:
        return [fixed[name] if name in fixed else given[name] for name in compiled.names]
    return [given[name] for name in compiled.names]


class Transaction:
    """What a job may do with the database while it holds the transaction; it neither commits nor rolls back."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, statement: Statement, /, **values: Value) -> int:
        """Run it; the number of rows it changed."""
        compiled = statement.compiled()
        return self._connection.execute(compiled.sql, _ordered(compiled, values)).rowcount

    def one(self, statement: Statement, /, **values: Value) -> Row | None:
        """Its first row, or nothing."""
        compiled = statement.compiled()
        row: Row | None = self._connection.execute(compiled.sql, _ordered(compiled, values)).fetchone()
        return row

    def all(self, statement: Statement, /, **values: Value) -> list[Row]:
        """All its rows."""
        compiled = statement.compiled()
        return self._connection.execute(compiled.sql, _ordered(compiled, values)).fetchall()

    def many(self, statement: Statement, rows: Sequence[Mapping[str, Value]], /) -> int:
        """Run it for each row of parameters; the number of rows changed in all."""
        compiled = statement.compiled()
        return self._connection.executemany(compiled.sql, [_ordered(compiled, row) for row in rows]).rowcount
