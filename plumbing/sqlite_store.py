"""SQLite: one file, groups committed on one connection, reads on a connection of the calling thread."""

import sqlite3
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import structlog

from plumbing.connections import connect, database_file, open_engine
from plumbing.groups import JobFailed, Outcome, Waiting, all_refused, storage_unavailable
from plumbing.statements import Transaction

T = TypeVar("T")

_OUT_OF_SERVICE: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
}

WRITING: Final = ("PRAGMA cache_size=-16384", "PRAGMA wal_autocheckpoint=4000")
"""16 MB each. A batch of a stream touches pages all over its index: with SQLite's 2 MB they are read and written again
within one transaction, and with its 4 MB of log the same ones are copied home at almost every commit."""

log = structlog.get_logger("plumbing.writer")


def as_refusal(error: BaseException) -> BaseException:
    """A failure of the storage itself as a refusal; anything else as it is."""
    if isinstance(error, sqlite3.Error) and (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _OUT_OF_SERVICE:
        log.error("storage_unavailable", reason=str(error))
        return storage_unavailable()
    return error


class _Reader:
    """A thread's own read connection, closed when the thread ends."""

    def __init__(self, file: Path) -> None:
        self.connection = connect(file)
        self.connection.execute("PRAGMA query_only=ON")
        self.transaction = Transaction(self.connection)

    def close(self) -> None:
        self.connection.close()

    def __del__(self) -> None:
        self.close()


class SqliteStore:
    """A SQLite file that several threads of this process, and other processes, may hold open."""

    def __init__(self, url: str) -> None:
        self._file = database_file(url)
        self.engine = open_engine(url)
        self._connection = connect(self._file)
        for pragma in WRITING:
            self._connection.execute(pragma)
        self._transaction = Transaction(self._connection)
        self._own = threading.local()
        self._readers: weakref.WeakSet[_Reader] = weakref.WeakSet()

    def commit(self, group: list[Waiting]) -> list[Outcome]:
        """Run the group in one transaction; if a job fails, once more with each job fenced off from the others."""
        for run in (self._plain, self._fenced):
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                outcomes = [run(waiting) for waiting in group]
                self._connection.execute("COMMIT")
                return outcomes
            except JobFailed as failed:
                self._roll_back()
                if len(group) == 1:
                    return [Outcome(group[0], None, as_refusal(failed.error))]
            except sqlite3.Error as error:
                log.error("commit_failed", reason=str(error), jobs=len(group))
                self._roll_back()
                break
        return all_refused(group)

    def close_writing(self) -> None:
        self._connection.close()

    def read(self, job: Callable[[Transaction], T]) -> T:
        reader: _Reader = getattr(self._own, "reader", None) or self._new_reader()
        try:
            reader.connection.execute("BEGIN")
            try:
                return job(reader.transaction)
            finally:
                if reader.connection.in_transaction:  # a failing storage may have ended it already
                    reader.connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise as_refusal(error) from error

    def close(self) -> None:
        for reader in list(self._readers):
            reader.close()
        self.engine.dispose()

    def _new_reader(self) -> _Reader:
        reader = self._own.reader = _Reader(self._file)
        self._readers.add(reader)
        return reader

    def _plain(self, waiting: Waiting) -> Outcome:
        try:
            return Outcome(waiting, waiting.job(self._transaction), None)
        except BaseException as error:  # the caller waits for an answer whatever it is
            raise JobFailed(error) from error

    def _fenced(self, waiting: Waiting) -> Outcome:
        self._connection.execute("SAVEPOINT job")
        try:
            value, problem = waiting.job(self._transaction), None
        except BaseException as error:
            if not self._connection.in_transaction:
                # The storage gave up the whole transaction (disk full, for one), not this job alone.
                raise sqlite3.OperationalError(str(error)) from error
            self._connection.execute("ROLLBACK TO job")
            value, problem = None, as_refusal(error)
        self._connection.execute("RELEASE job")
        return Outcome(waiting, value, problem)

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            log.error("rollback_failed", reason=str(error))
