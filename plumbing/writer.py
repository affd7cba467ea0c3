"""The one writer: many small transactions share one commit, so that durability costs one disk sync for all of them."""

import asyncio
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, NamedTuple

import structlog

from plumbing.refusals import Refused
from plumbing.statements import Transaction

Job = Callable[[Transaction], Any]

MAX_WAITING: Final = 20_000
"""Jobs that may wait: about a second of work. Past that, saying so is kinder than a long queue."""
MAX_BATCH: Final = 512
"""Jobs that share a commit: enough to make the sync cheap, few enough that nobody waits long for the last of them."""
POST_LINGER_SECONDS: Final = 0.02
"""How long a posted record may wait for company or for a write to travel with."""

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

log = structlog.get_logger("plumbing.writer")


class _Waiting(NamedTuple):
    """A job and who waits for it: an asyncio future with its loop, a thread's future, or nobody (a posted record)."""

    job: Job
    future: Any
    loop: asyncio.AbstractEventLoop | None


class _Outcome(NamedTuple):
    waiting: _Waiting
    value: Any
    error: BaseException | None


_STOP: Final = None
_NUDGE: Final[list[_Waiting]] = []


def storage_unavailable() -> Refused:
    """The database cannot take or give anything now; the client may try again."""
    return Refused("storage_unavailable", "The storage is not available now.", status=503, retry_after_seconds=5)


def as_refusal(error: BaseException) -> BaseException:
    """A failure of the storage itself as a refusal; anything else as it is."""
    if isinstance(error, sqlite3.Error) and (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _OUT_OF_SERVICE:
        log.error("storage_unavailable", reason=str(error))
        return storage_unavailable()
    return error


class Writer:
    """Runs jobs in order on one thread; when a job's result is handed over, it is on the disk."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._transaction = Transaction(connection)
        self._queue: queue.SimpleQueue[list[_Waiting] | None] = queue.SimpleQueue()
        self._gathering: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
        self._counting = threading.Lock()
        self._waiting = 0
        self._posts: deque[_Waiting] = deque()
        self._is_closed = False
        self.dropped = 0
        self._thread = threading.Thread(target=self._work, name="database-writer", daemon=True)
        self._thread.start()

    async def write(self, job: Job) -> Any:
        loop = asyncio.get_running_loop()
        self._admit()
        future = loop.create_future()
        gathered = self._gathering.get(loop)
        if gathered is None:
            # What one turn of the loop asks for goes over together: waking the writer for each job costs both threads
            # more than the job, and makes small commits out of what could be one.
            gathered = self._gathering[loop] = []
            loop.call_soon(self._send_gathered, loop)
        gathered.append(_Waiting(job, future, loop))
        return await future

    def write_sync(self, job: Job) -> Any:
        self._admit()
        future: Future[Any] = Future()
        self._queue.put([_Waiting(job, future, None)])
        return future.result()

    def post(self, job: Job) -> None:
        if self._is_closed or len(self._posts) >= MAX_WAITING:
            self.dropped += 1
            return
        self._posts.append(_Waiting(job, None, None))
        if len(self._posts) == 1:
            self._queue.put(_NUDGE)

    def close(self) -> None:
        """Finish what waits, then stop."""
        if not self._is_closed:
            self._is_closed = True
            self._queue.put(_STOP)
        self._thread.join()
        self._connection.close()

    def _admit(self) -> None:
        """Count one more job that waits, or refuse it."""
        if self._is_closed:
            raise storage_unavailable()
        with self._counting:
            if self._waiting >= MAX_WAITING:
                raise Refused("busy", "Too many requests wait for the storage.", status=503, retry_after_seconds=1)
            self._waiting += 1

    def _send_gathered(self, loop: asyncio.AbstractEventLoop) -> None:
        gathered = self._gathering.pop(loop)
        if self._is_closed:  # the writer has its last batch already; nobody would answer these
            _resolve_all([_Outcome(waiting, None, storage_unavailable()) for waiting in gathered])
        else:
            self._queue.put(gathered)

    def _work(self) -> None:
        is_stopping = False
        while not is_stopping:
            batch, is_stopping = self._next_batch()
            while batch:
                _hand_over(self._outcomes(batch))
                batch = self._taken_posts() if is_stopping else []

    def _next_batch(self) -> tuple[list[_Waiting], bool]:
        """Wait for work; the jobs that share the next commit, and whether they are the last."""
        try:
            item = self._queue.get(timeout=POST_LINGER_SECONDS if self._posts else None)
            if item is _NUDGE:
                item = self._queue.get(timeout=POST_LINGER_SECONDS)
        except queue.Empty:
            item = _NUDGE
        batch: list[_Waiting] = []
        while item is not _STOP:
            batch += item
            if len(batch) >= MAX_BATCH:
                break
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
        with self._counting:
            self._waiting -= len(batch)
        return batch + self._taken_posts(), item is _STOP

    def _taken_posts(self) -> list[_Waiting]:
        return [self._posts.popleft() for _ in range(min(len(self._posts), MAX_BATCH))]

    def _outcomes(self, batch: list[_Waiting]) -> list[_Outcome]:
        """Run the batch in one transaction; if a job fails, once more with each job fenced off from the others."""
        for run in (self._plain, self._fenced):
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                outcomes = [run(waiting) for waiting in batch]
                self._connection.execute("COMMIT")
                return outcomes
            except _JobFailed as failed:
                self._roll_back()
                if len(batch) == 1:
                    return [_Outcome(batch[0], None, as_refusal(failed.error))]
            except sqlite3.Error as error:
                log.error("commit_failed", reason=str(error), jobs=len(batch))
                self._roll_back()
                break
        return [_Outcome(waiting, None, storage_unavailable()) for waiting in batch]

    def _plain(self, waiting: _Waiting) -> _Outcome:
        try:
            return _Outcome(waiting, waiting.job(self._transaction), None)
        except BaseException as error:  # the caller waits for an answer whatever it is
            raise _JobFailed(error) from error

    def _fenced(self, waiting: _Waiting) -> _Outcome:
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
        return _Outcome(waiting, value, problem)

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            log.error("rollback_failed", reason=str(error))


class _JobFailed(Exception):
    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error


def _hand_over(outcomes: list[_Outcome]) -> None:
    """Give every caller its result, waking each event loop once for all of its callers."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for outcome in outcomes:
        if outcome.waiting.loop is not None:
            by_loop.setdefault(outcome.waiting.loop, []).append(outcome)
        elif outcome.waiting.future is not None:
            _resolve(outcome)
        elif outcome.error is not None:
            log.error("posted_record_failed", reason=repr(outcome.error))
    for loop, theirs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve_all, theirs)
        except RuntimeError:  # the loop ended while its callers waited; nobody is left to tell
            log.warning("callers_gone", callers=len(theirs))


def _resolve_all(outcomes: list[_Outcome]) -> None:
    for outcome in outcomes:
        _resolve(outcome)


def _resolve(outcome: _Outcome) -> None:
    future = outcome.waiting.future
    if future.done():  # cancelled: the caller stopped waiting, the write stands
        return
    if outcome.error is None:
        future.set_result(outcome.value)
    elif isinstance(outcome.error, Exception) and not isinstance(outcome.error, StopIteration):
        future.set_exception(outcome.error)
    else:
        # A future cannot carry StopIteration, and an exit raised by one job must not end the loop of all.
        future.set_exception(RuntimeError(f"the job raised {type(outcome.error).__name__}"))
