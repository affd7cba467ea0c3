"""A PostgreSQL table kept by months of a time column: each month a partition, which goes as a whole when it is old.

A partition is there before its month begins. What finds none all the same (a clock that jumped, a service that was not
there for months) goes to the default partition, so that nothing is refused; `make_ahead` says so and moves it to months
of its own. Partitions change under a lock that only one process gets, and nobody waits longer than `LOCK_WAIT` for a
table. The names of tables and columns in the statements are our own.
"""
# ruff: noqa: S608

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, NamedTuple

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from plumbing.groups import storage_unavailable

MONTHS_AHEAD: Final = 2
LOCK_WAIT: Final = "2s"
TURN: Final = int.from_bytes(b"rgmonths")
"""What our processes agree to hold while they change the partitions of a database."""

log = structlog.get_logger(__name__)


class Partition(NamedTuple):
    """One of them, with the time before which all of its rows lie."""

    name: str
    until: float


class Months:
    """The partitions of one table by its time column, in seconds since 1970."""

    def __init__(self, table: str, column: str) -> None:
        self.table = table
        self.column = column

    def make_ahead(self, connection: Connection, now: float) -> list[str]:
        """Make what this month and the next ones need, and what strays in the default partition need; the new ones."""
        default, made = f"{self.table}_default", []
        strays = connection.exec_driver_sql(
            f"SELECT count(*), min({self.column}), max({self.column}) FROM {default}"
        ).one()
        if strays[0]:
            log.warning("default_partition_filled", table=self.table, rows=strays[0])
            for at in (strays[1], strays[2]):
                made += self._made(connection, month_of(at))
        month = month_of(now)
        for _ in range(MONTHS_AHEAD + 1):
            made += self._made(connection, month)
            month = after(month)
        return made

    def older_than(self, connection: Connection, before: float) -> list[Partition]:
        """The partitions of which every row lies before that time, the oldest first."""
        return sorted((each for each in self._known(connection) if each.until <= before), key=lambda each: each.until)

    def drop(self, connection: Connection, partition: Partition) -> None:
        """Let it go with all its rows."""
        connection.exec_driver_sql(f"DROP TABLE {partition.name}")
        log.info("partition_dropped", table=self.table, partition=partition.name)

    def _made(self, connection: Connection, month: tuple[int, int]) -> list[str]:
        start, end, name = begins(month), begins(after(month)), f"{self.table}_{month[0]:04}_{month[1]:02}"
        known = self._known(connection)
        if start < max((each.until for each in known if each.name == f"{self.table}_before"), default=start):
            return []
        if any(each.name == name for each in known):
            return []
        span, default = f"{self.column} >= {start!r} AND {self.column} < {end!r}", f"{self.table}_default"
        for sql in (
            f"CREATE TABLE {name} (LIKE {self.table} INCLUDING DEFAULTS)",
            f"WITH moved AS (DELETE FROM {default} WHERE {span} RETURNING *) INSERT INTO {name} SELECT * FROM moved",
            f"ALTER TABLE {self.table} ATTACH PARTITION {name} FOR VALUES FROM ({start!r}) TO ({end!r})",
        ):
            connection.exec_driver_sql(sql)
        return [name]

    def _known(self, connection: Connection) -> list[Partition]:
        rows = connection.exec_driver_sql(
            "SELECT c.oid::regclass::text, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i"
            f" JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '{self.table}'::regclass"
        )
        bounds = ((name, re.search(r"TO \('?([-+.e0-9]+)'?\)", bound)) for name, bound in rows)
        return [Partition(name, float(found[1])) for name, found in bounds if found is not None]


@contextmanager
def changing(engine: Engine) -> Iterator[Connection | None]:
    """A transaction in which the partitions are ours to change; None while another process changes them.

    Raises: Refused: 503 `storage_unavailable` when the server is away, or somebody held a table for too long.
    """
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
            is_ours = connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({TURN})").scalar()
            yield connection if is_ours else None
    except SQLAlchemyError as error:
        log.error("partitions_not_changed", reason=(str(getattr(error, "orig", error)).splitlines() or [""])[0])
        raise storage_unavailable() from error


def old_months(engine: Engine, months: Months, *, now: float, before: float | None) -> list[Partition]:
    """Make the months to come; those of which all lies before that time, the oldest first. Raises: Refused."""
    with changing(engine) as connection:
        if connection is None:
            return []
        months.make_ahead(connection, now)
        return [] if before is None else months.older_than(connection, before)


def dropped(engine: Engine, months: Months, partition: Partition) -> bool:
    """Whether that month has gone with all its rows, at once and by us. Raises: Refused."""
    with changing(engine) as connection:
        if connection is None or partition not in months.older_than(connection, partition.until):
            return False
        months.drop(connection, partition)
        return True


def convert(connection: Connection, table: str, *, column: str, key: str) -> None:
    """Make a table one of months: what it holds becomes its first partition, up to the end of this month, uncopied.

    The primary key of a partitioned table holds the column it is partitioned by. For migrations.
    """
    newest = f"SELECT greatest(extract(epoch FROM now()), max({column}))::float8, count(*) FROM {table}"
    moment, rows = connection.exec_driver_sql(newest).one()
    border = begins(after(month_of(moment)) if rows else month_of(moment))
    sequence = connection.exec_driver_sql(f"SELECT pg_get_serial_sequence('{table}', '{key}')").scalar()
    old = f"{table}_before"
    for sql in (
        *_renamed_indexes(connection, table),
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_pkey",
        f"ALTER TABLE {table} RENAME TO {old}",
        f"ALTER TABLE {old} ADD CONSTRAINT {old}_pkey PRIMARY KEY ({key}, {column})",
        f"CREATE TABLE {table} (LIKE {old} INCLUDING DEFAULTS) PARTITION BY RANGE ({column})",
        f"ALTER SEQUENCE {sequence} OWNED BY {table}.{key}",
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({key}, {column})",
        *_indexes(connection, table),
        f"ALTER TABLE {table} ATTACH PARTITION {old} FOR VALUES FROM (MINVALUE) TO ({border!r})",
        f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT",
    ):
        connection.exec_driver_sql(sql)
    Months(table, column).make_ahead(connection, moment)


def _indexes(connection: Connection, table: str) -> list[str]:
    """What makes the table's indexes, but for its primary key."""
    rows = connection.exec_driver_sql(_INDEXES.format(table=table))
    return [row[1] for row in rows]


def _renamed_indexes(connection: Connection, table: str) -> list[str]:
    """What makes room for the names of its indexes."""
    return [
        f"ALTER INDEX {row[0]} RENAME TO {row[0]}_before"
        for row in connection.exec_driver_sql(_INDEXES.format(table=table))
    ]


_INDEXES: Final = (
    "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
    " WHERE i.indrelid = '{table}'::regclass AND NOT i.indisprimary ORDER BY 1"
)


def month_of(moment: float) -> tuple[int, int]:
    """Year and month of that time, in UTC."""
    found = datetime.fromtimestamp(moment, UTC)
    return found.year, found.month


def after(month: tuple[int, int]) -> tuple[int, int]:
    """The next one."""
    return (month[0] + 1, 1) if month[1] == 12 else (month[0], month[1] + 1)


def begins(month: tuple[int, int]) -> float:
    """When it begins."""
    return datetime(month[0], month[1], 1, tzinfo=UTC).timestamp()
