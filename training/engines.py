"""What reads a log and adds it up: DuckDB in this process, or a Spark cluster. Both are asked the same expressions."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import PurePath
from typing import Any, Protocol

import ibis

from training.log_sources import open_logs

Question = Callable[[Any], Any]
"""From an Ibis table of logins to the Ibis expression that asks something of it."""
Row = tuple[Any, ...]

LOGINS = "riskgate_logins"
"""What the table of logins is called while it is asked."""


class Rows(Protocol):
    """Batches of typed columns in the log's order; once exhausted it knows which records could not be parsed."""

    def __iter__(self) -> Iterator[Any]: ...

    def malformed_rows(self) -> list[int]:
        """Places in the log (first row is 0) of the records that were no records."""
        ...


class Log(Protocol):
    """A log that can be read; `path` names it."""

    @property
    def path(self) -> PurePath:
        """Where it is."""
        ...

    def batches(self) -> AbstractContextManager[Rows]:
        """Its rows, a bounded batch at a time."""
        ...


class Engine(Protocol):
    """Reads logs and answers questions about logins."""

    @property
    def name(self) -> str:
        """The engine and its version, for people."""
        ...

    def open_log(self, *sources: str) -> Log:
        """The log that `sources` name together. Raises WrongInputError or UnreachableError with a stable code."""
        ...

    def rows(self, question: Question, logins: Any) -> Iterator[Row]:
        """What `question` finds in `logins`, a pyarrow table."""
        ...

    def close(self) -> None:
        """Lets go of what it holds."""
        ...


class DuckDB:
    """The engine that is always there: in memory, on one thread."""

    def __init__(self) -> None:
        self._connection = ibis.duckdb.connect()
        self._connection.raw_sql("SET threads TO 1")
        self._connection.raw_sql("SET enable_progress_bar = false")

    @property
    def name(self) -> str:
        return f"DuckDB {self._connection.version}"

    def open_log(self, *sources: str) -> Log:
        return open_logs(sources)

    def rows(self, question: Question, logins: Any) -> Iterator[Row]:
        found = self._connection.to_pyarrow(question(ibis.memtable(logins)))
        return in_rows(found)

    def close(self) -> None:
        self._connection.disconnect()


def in_rows(found: Any) -> Iterator[Row]:
    """The rows of a pyarrow table."""
    return zip(*(column.to_pylist() for column in found.columns), strict=True)
