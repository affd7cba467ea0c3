"""One database: durable writes through one writer, reads on a connection of the calling thread."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, Protocol, Self, TypeVar

from sqlalchemy import MetaData

from plumbing.groups import Store
from plumbing.migrations import WrongEncoding, upgrade
from plumbing.postgresql import DriverMissing, is_postgresql, require_driver
from plumbing.refusals import Refused
from plumbing.sqlite_store import SqliteStore
from plumbing.statements import Transaction
from plumbing.tracing import TRACEPARENT
from plumbing.writer import Writer

__all__ = ["Database", "DriverMissing", "Transaction", "Watch", "WrongEncoding", "upgrade"]

T = TypeVar("T")

READ_THREADS: Final = 4
LONG_READ_THREADS: Final = 3
"""For questions that take seconds: whoever asks a short one does not stand behind them."""


class Watch(Protocol):
    """Whoever wants to know how the storage fares."""

    def writing(self) -> AbstractContextManager[object]:
        """Entered before a write waits, left when it is on the disk or refused."""
        ...

    def refused(self, code: str) -> None:
        """A read or a write was refused with that code, or the job itself refused with it."""
        ...

    def committed(self, fact: object) -> None:
        """What a transaction said is on the disk; on the thread of whoever wrote."""
        ...


class Database:
    """The storage of one service. Safe to use from any thread and from several event loops."""

    def __init__(self, url: str, metadata: MetaData) -> None:
        self.metadata = metadata
        self._store = _store(url)
        self.engine = self._store.engine
        self._writer = Writer(self._store)
        self._pool = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="database-reader")
        self._long_pool = ThreadPoolExecutor(LONG_READ_THREADS, thread_name_prefix="database-long-reader")
        self._watch: Watch | None = None

    @classmethod
    def open(cls, url: str, *, metadata: MetaData) -> Self:
        """The database of that URL (`sqlite:///file` or `postgresql://…`), whose tables `upgrade` has made.

        Raises: ValueError for another URL; DriverMissing.
        """
        return cls(url, metadata)

    async def write(self, job: Callable[[Transaction], T]) -> T:
        """Run the job in a transaction; once this returns, what it did survives the death of the process.

        The job shares its commit with others and may run twice, so it must be a function of the transaction alone: no
        I/O, no outside effects. What it raises undoes its own changes and reaches this caller only. A caller that stops
        waiting does not stop the job.

        Raises:
            Refused: 503 `busy` when too much waits, 503 `storage_unavailable` when the storage cannot take it.
        """
        watch = self._watch
        if watch is None:
            result: T = await self._writer.write(job)
            return result
        heard = _Heard(job)
        with _watching(watch, heard):
            result = await self._writer.write(heard)
        return result

    def write_sync(self, job: Callable[[Transaction], T]) -> T:
        """`write` for a thread without an event loop (command lines, large imports)."""
        watch = self._watch
        if watch is None:
            result: T = self._writer.write_sync(job)
            return result
        heard = _Heard(job)
        with _watching(watch, heard):
            result = self._writer.write_sync(heard)
        return result

    def watch(self, watch: "Watch") -> None:
        """Let this one know of each write, and of what transactions `say`; before the first of them, and only one."""
        self._watch = watch

    def post(self, job: Callable[[Transaction], object], undo: Callable[[], object] | None = None) -> None:
        """Write soon, tell nobody: for records whose loss in a crash is acceptable. A full queue drops it.

        `undo` is called, on this thread or another, when the database did not take it.
        """
        self._writer.post(job, undo)

    @property
    def dropped(self) -> int:
        """How many posted records without an `undo` were lost: no room in the queue, or the database took them not."""
        return self._writer.dropped

    def read(self, job: Callable[[Transaction], T]) -> T:
        """The job's result on one consistent view of what is committed, on this very thread: for point look-ups.

        The job may run twice, so it must be a function of the transaction alone.

        Raises: Refused: 503 `storage_unavailable`.
        """
        try:
            return self._store.read(job)
        except Refused as refused:
            if self._watch is not None:
                self._watch.refused(refused.code)
            raise

    async def read_in_thread(self, job: Callable[[Transaction], T]) -> T:
        """`read` beside the event loop: for lists, searches and counts."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.read, job)

    async def read_at_length(self, job: Callable[[Transaction], T]) -> T:
        """`read_in_thread`, for what may take seconds, on threads of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._long_pool, self.read, job)

    def close(self) -> None:
        """Finish the writes that wait, then let go of the database."""
        self._writer.close()
        self._pool.shutdown()
        self._long_pool.shutdown()
        self._store.close()


class _Heard:
    """A job, and what its transaction says."""

    __slots__ = ("_job", "_traceparent", "said")

    def __init__(self, job: Callable[[Transaction], Any]) -> None:
        self._job = job
        self._traceparent = TRACEPARENT.get()
        self.said: list[object] = []

    def __call__(self, tx: Transaction) -> Any:
        self.said.clear()  # of a run that was undone
        tx.said, tx.traceparent = self.said, self._traceparent
        try:
            return self._job(tx)
        finally:
            tx.said = tx.traceparent = None  # the transaction is the next job's too


@contextmanager
def _watching(watch: "Watch", heard: _Heard) -> Iterator[None]:
    try:
        with watch.writing():
            yield
    except Refused as refused:
        watch.refused(refused.code)
        raise
    for fact in heard.said:
        watch.committed(fact)


def _store(url: str) -> Store:
    """The store that the URL's scheme asks for; a driver that is not asked for is not imported."""
    if not is_postgresql(url):
        return SqliteStore(url)
    require_driver()
    from plumbing.postgresql_store import PostgresqlStore

    return PostgresqlStore(url)
