"""A few niced threads for slow hashing, with a bounded line in front of them; knows nothing of passwords.

Fails closed: a job that finds the line full is refused at once, because a password that is not checked is not
accepted, and a line without an end would let one burst of guesses hold every later login for minutes.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from plumbing.refusals import Refused

T = TypeVar("T")

# Weight 110 against the event loop's 1024 (sched(7), nice values): hashing takes every idle cycle, and yields the
# moment a request arrives.
NICENESS = 10
RETRY_AFTER_SECONDS = 1


class HashingPool:
    """Runs jobs on `workers` threads, and lets at most `queue_limit` more wait.

    As many places again are kept for jobs that strangers cannot bring: a flood fills its own line and no other, and who
    is in the kept one waits behind no more than both lines.

    With bcrypt cost 12 (about 0.24 s on one core) and four waiting jobs a worker the longest wait stays under one
    second, and under two where both lines are full.
    """

    def __init__(self, *, workers: int, queue_limit: int) -> None:
        self._executor = ThreadPoolExecutor(
            max_workers=workers, thread_name_prefix="hashing", initializer=_yield_to_others
        )
        self._places = threading.BoundedSemaphore(workers + queue_limit)
        self._kept = threading.BoundedSemaphore(workers + queue_limit)
        self._most = workers + queue_limit
        self._counting = threading.Lock()
        self._taken = 0
        self.refused = 0

    @property
    def taken(self) -> int:
        """Jobs that run or wait now, of those that anybody may bring."""
        return self._taken

    @property
    def places(self) -> int:
        """How many of them may."""
        return self._most

    async def run(self, job: Callable[[], T], *, may_take_kept: bool = False) -> T:
        """What `job` returns, computed on a hashing thread.

        Raises: Refused `busy` (503, Retry-After) when every place is taken that it may have.
        """
        future = self._submit_kept(job) if may_take_kept else None
        if future is None:
            future = self._submit(job)
        if future is None:
            self.refused += 1
            raise Refused(
                "busy",
                "Too many logins are being checked at this moment. Try again shortly.",
                status=503,
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Waits for the running jobs; those still in line are cancelled."""
        self._executor.shutdown(cancel_futures=True)

    def _submit(self, job: Callable[[], T]) -> Future[T] | None:
        if not self._places.acquire(blocking=False):
            return None
        self._count(1)
        future = self._executor.submit(job)
        # The place is free when the thread is, not when the caller stops waiting: a client that hangs up must not
        # make room.
        future.add_done_callback(self._free)
        return future

    def _submit_kept(self, job: Callable[[], T]) -> Future[T] | None:
        if not self._kept.acquire(blocking=False):
            return None
        future = self._executor.submit(job)
        future.add_done_callback(lambda _future: self._kept.release())
        return future

    def _free(self, _future: Future[T]) -> None:
        self._count(-1)
        self._places.release()

    def _count(self, change: int) -> None:
        with self._counting:
            self._taken += change


def _yield_to_others() -> None:
    """Lowers the priority of the calling thread alone (on Linux PRIO_PROCESS takes a thread id, setpriority(2))."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
