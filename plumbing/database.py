"""One SQLite file: durable writes through one writer, reads on a connection of the calling thread."""

import asyncio
import sqlite3
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self, TypeVar

from sqlalchemy import MetaData

from plumbing.connections import connect, database_file, open_engine
from plumbing.migrations import upgrade
from plumbing.statements import Transaction
from plumbing.writer import Writer, as_refusal

__all__ = ["Database", "Transaction", "upgrade"]

T = TypeVar("T")

READ_THREADS: Final = 4


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


class Database:
    """The storage of one service. Safe to use from any thread and from several event loops."""

    def __init__(self, url: str, metadata: MetaData) -> None:
        self.metadata = metadata
        self._file = database_file(url)
        self.engine = open_engine(url)
        self._writer = Writer(connect(self._file))
        self._own = threading.local()
        self._readers: weakref.WeakSet[_Reader] = weakref.WeakSet()
        self._pool = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="database-reader")

    @classmethod
    def open(cls, url: str, *, metadata: MetaData) -> Self:
        """The database of that URL, whose tables `upgrade` has made."""
        return cls(url, metadata)

    async def write(self, job: Callable[[Transaction], T]) -> T:
        """Run the job in a transaction; once this returns, what it did survives the death of the process.

        The job shares its commit with others and may run twice, so it must be a function of the transaction alone: no
        I/O, no outside effects. What it raises undoes its own changes and reaches this caller only. A caller that stops
        waiting does not stop the job.

        Raises:
            Refused: 503 `busy` when too much waits, 503 `storage_unavailable` when the storage cannot take it.
        """
        result: T = await self._writer.write(job)
        return result

    def write_sync(self, job: Callable[[Transaction], T]) -> T:
        """`write` for a thread without an event loop (command lines, large imports)."""
        result: T = self._writer.write_sync(job)
        return result

    def post(self, job: Callable[[Transaction], object]) -> None:
        """Write soon, tell nobody: for records whose loss in a crash is acceptable. A full queue drops it."""
        self._writer.post(job)

    @property
    def dropped(self) -> int:
        """How many posted records found the queue full."""
        return self._writer.dropped

    def read(self, job: Callable[[Transaction], T]) -> T:
        """The job's result on one consistent view of what is committed, on this very thread: for point look-ups."""
        reader = self._reader()
        try:
            reader.connection.execute("BEGIN")
            try:
                return job(reader.transaction)
            finally:
                if reader.connection.in_transaction:  # a failing storage may have ended it already
                    reader.connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise as_refusal(error) from error

    async def read_in_thread(self, job: Callable[[Transaction], T]) -> T:
        """`read` beside the event loop: for lists, searches and counts."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.read, job)

    def close(self) -> None:
        """Finish the writes that wait, then let go of the file."""
        self._writer.close()
        self._pool.shutdown()
        for reader in list(self._readers):
            reader.close()
        self.engine.dispose()

    def _reader(self) -> _Reader:
        reader: _Reader | None = getattr(self._own, "reader", None)
        if reader is None:
            reader = self._own.reader = _Reader(self._file)
            self._readers.add(reader)
        return reader
