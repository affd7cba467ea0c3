"""The one writer: many small transactions share one commit, so that durability costs one disk sync for all of them."""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

import structlog

from plumbing.groups import Job, Outcome, Store, Waiting, all_refused, storage_unavailable
from plumbing.refusals import Refused

MAX_WAITING: Final = 20_000
"""Jobs that may wait: about a second of work. Past that, saying so is kinder than a long queue."""
MAX_BATCH: Final = 512
"""Jobs that share a commit: enough to make the sync cheap, few enough that nobody waits long for the last of them."""
POST_LINGER_SECONDS: Final = 0.02
"""How long a posted record may wait for company or for a write to travel with."""

log = structlog.get_logger("plumbing.writer")


_STOP: Final = None
_NUDGE: Final[list[Waiting]] = []


class Writer:
    """Runs jobs in order on one thread; when a job's result is handed over, it is on the disk."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: queue.SimpleQueue[list[Waiting] | None] = queue.SimpleQueue()
        self._gathering: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}
        self._counting = threading.Lock()
        self._waiting = 0
        self._posts: deque[Waiting] = deque()
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
        gathered.append(Waiting(job, future, loop))
        return await future

    def write_sync(self, job: Job) -> Any:
        self._admit()
        future: Future[Any] = Future()
        self._queue.put([Waiting(job, future, None)])
        return future.result()

    def post(self, job: Job, undo: Callable[[], object] | None = None) -> None:
        if self._is_closed or len(self._posts) >= MAX_WAITING:
            self._lost(undo)
            return
        self._posts.append(Waiting(job, None, None, undo))
        if len(self._posts) == 1:
            self._queue.put(_NUDGE)

    def close(self) -> None:
        """Finish what waits, then stop."""
        if not self._is_closed:
            self._is_closed = True
            self._queue.put(_STOP)
        self._thread.join()
        self._store.close_writing()

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
            _resolve_all(all_refused(gathered))
        else:
            self._queue.put(gathered)

    def _work(self) -> None:
        is_stopping = False
        while not is_stopping:
            batch, is_stopping = self._next_batch()
            while batch:
                self._hand_over(self._store.commit(batch))
                batch = self._taken_posts() if is_stopping else []

    def _next_batch(self) -> tuple[list[Waiting], bool]:
        """Wait for work; the jobs that share the next commit, and whether they are the last."""
        try:
            item = self._queue.get(timeout=POST_LINGER_SECONDS if self._posts else None)
            if item is _NUDGE:
                item = self._queue.get(timeout=POST_LINGER_SECONDS)
        except queue.Empty:
            item = _NUDGE
        batch: list[Waiting] = []
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

    def _taken_posts(self) -> list[Waiting]:
        return [self._posts.popleft() for _ in range(min(len(self._posts), MAX_BATCH))]

    def _hand_over(self, outcomes: list[Outcome]) -> None:
        """Give every caller its result, waking each event loop once for all of its callers."""
        by_loop: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
        for outcome in outcomes:
            if outcome.waiting.loop is not None:
                by_loop.setdefault(outcome.waiting.loop, []).append(outcome)
            elif outcome.waiting.future is not None:
                _resolve(outcome)
            elif outcome.error is not None:
                log.error("posted_record_failed", reason=repr(outcome.error))
                self._lost(outcome.waiting.undo)
        for loop, theirs in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve_all, theirs)
            except RuntimeError:  # the loop ended while its callers waited; nobody is left to tell
                log.warning("callers_gone", callers=len(theirs))

    def _lost(self, undo: Callable[[], object] | None) -> None:
        """A posted record was not taken: whoever can put it back does, and counts what it cannot keep."""
        if undo is None:
            self.dropped += 1
        else:
            undo()


def _resolve_all(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        _resolve(outcome)


def _resolve(outcome: Outcome) -> None:
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
