"""Several processes behind one listener: a parent that serves nobody, starts the others, and ends them.

The parent has imported what they need and opened nothing, so that a worker is a fork: soon there, and most of its
memory is the parent's. One starts at a time, the next when it answers; one that dies is replaced, ever more slowly
while they go on dying. When the parent is gone, killed even, its workers stop as if they had been told to.
"""

import gc
import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from plumbing.clock import Clock, SystemClock
from plumbing.draining import CLOSING_SECONDS, CUT_SHORT, SHUTDOWN_SECONDS
from plumbing.listening import Address
from plumbing.stop_signals import STOP_SIGNALS

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
STEADY_SECONDS: Final = 60.0
"""A worker that lived so long did not die of how it was started: the next one starts after the first pause again."""
GRACE_SECONDS: Final = 5.0
"""How much longer than its own bounds a worker may take to end, before it is killed."""

_READY: Final = b"r"

log = structlog.get_logger("plumbing.workers")

Work = Callable[[int, Callable[[], None]], int]
"""What a worker does for ever: it gets its number and what to call once it answers, and gives its exit status."""


@dataclass(slots=True)
class Worker:
    """One of them, as its parent sees it."""

    number: int
    pid: int
    news: int
    """The pipe's end at which it says that it answers."""
    began: float
    is_ready: bool = False


@dataclass(slots=True)
class _Pause:
    """When the next worker may start."""

    until: float = 0.0
    seconds: float = FIRST_PAUSE_SECONDS

    def after_death(self, worker: Worker, now: float) -> None:
        if now - worker.began >= STEADY_SECONDS:
            self.seconds = FIRST_PAUSE_SECONDS
        self.until = now + self.seconds
        self.seconds = min(self.seconds * 2, LONGEST_PAUSE_SECONDS)


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Keeps `count` workers at `work` until told to stop.

    `tell_ready` is called once, when all of them answer; `tell_gone` with the number of each that has ended, before
    another one gets it.
    """

    count: int
    work: Work
    listener: socket.socket
    drain_seconds: float
    tell_ready: Callable[[], None]
    tell_gone: Callable[[int], None] = lambda _number: None
    clock: Clock = field(default_factory=SystemClock)
    _workers: dict[int, Worker] = field(default_factory=dict)
    _pause: _Pause = field(default_factory=_Pause)
    _signals: list[int] = field(default_factory=list)
    _has_answered: bool = False
    _is_told: bool = False

    def run(self) -> int:
        """Until told to stop; the exit status. A first worker that cannot start ends it all, with that one's status."""
        gc.collect()
        gc.freeze()  # what is there by now is shared with the workers as long as nobody touches it
        life, alive = os.pipe()
        with _heard_signals(self._signals) as awake, selectors.DefaultSelector() as selector:
            selector.register(awake, selectors.EVENT_READ)
            while not self._signals:
                self._start_one(selector, life, alive)
                self._listen_for_news(selector)
                for worker, status in self._ended(selector):
                    if not self._has_answered:
                        return self._stop(selector, status)
                    self._pause.after_death(worker, self.clock.monotonic())
                    log.error("worker_died", pid=worker.pid, status=status, next_in_seconds=self._next_in())
            return self._stop(selector, 0)

    def _start_one(self, selector: selectors.BaseSelector, life: int, alive: int) -> None:
        is_busy = any(not worker.is_ready for worker in self._workers.values())
        if len(self._workers) == self.count or is_busy or self._next_in() > 0:
            return
        number = min(set(range(self.count)) - {worker.number for worker in self._workers.values()})
        news, say = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        # None must be heard by the parent's handlers in a worker, where they mean nothing.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        pid = os.fork()
        if pid == 0:
            self._be_worker(number, life, alive, say)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        os.close(say)
        os.set_blocking(news, False)
        self._workers[pid] = Worker(number, pid, news, self.clock.monotonic())
        selector.register(news, selectors.EVENT_READ)

    def _be_worker(self, number: int, life: int, alive: int, say: int) -> None:
        status = CUT_SHORT
        try:
            os.close(alive)  # the parent alone holds this end, so that its death closes it
            signal.set_wakeup_fd(-1)
            for each in (*STOP_SIGNALS, signal.SIGCHLD):
                signal.signal(each, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            threading.Thread(target=_stop_when_orphaned, args=(life,), daemon=True, name="parent-watch").start()
            status = self.work(number, lambda: _say(say))
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        except BaseException:
            log.exception("worker_crashed")
        finally:
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _next_in(self) -> float:
        return max(0.0, round(self._pause.until - self.clock.monotonic(), 3))

    def _listen_for_news(self, selector: selectors.BaseSelector) -> None:
        said = self._drained(selector.select(self._next_in() or 1.0))
        for worker in self._workers.values():
            if said.get(worker.news) == _READY:
                worker.is_ready = self._has_answered = True
        ready = sum(worker.is_ready for worker in self._workers.values())
        if ready == self.count and not self._is_told:
            self._is_told = True
            self.tell_ready()

    def _drained(self, events: list[tuple[selectors.SelectorKey, int]]) -> dict[int, bytes]:
        return {key.fd: os.read(key.fd, 64) for key, _ in events}

    def _ended(self, selector: selectors.BaseSelector) -> Iterator[tuple[Worker, int]]:
        for pid in list(self._workers):
            found, code = os.waitpid(pid, os.WNOHANG)
            if found:
                worker = self._workers.pop(pid)
                with suppress(KeyError):
                    selector.unregister(worker.news)
                os.close(worker.news)
                self.tell_gone(worker.number)
                yield worker, os.waitstatus_to_exitcode(code)

    def _stop(self, selector: selectors.BaseSelector, status: int) -> int:
        """Tell all to stop and wait for them; a second signal, or a worker past all bounds, ends what is left hard."""
        self.listener.close()  # each worker holds it too, and it is gone with the last of them
        for worker in self._workers.values():
            selector.unregister(worker.news)
        heard = len(self._signals)
        deadline = self.clock.monotonic() + self.drain_seconds + SHUTDOWN_SECONDS + CLOSING_SECONDS + GRACE_SECONDS
        self._send(signal.SIGTERM)
        while self._workers:
            if len(self._signals) > heard or self.clock.monotonic() > deadline:
                log.error("workers_killed", count=len(self._workers))
                self._send(signal.SIGKILL)
                for pid in self._workers:
                    os.waitpid(pid, 0)
                return CUT_SHORT
            self._drained(selector.select(1.0))
            for worker, code in self._ended(selector):
                if status == 0 and worker.is_ready and code != 0:
                    status = CUT_SHORT
        return status

    def _send(self, number: signal.Signals) -> None:
        for pid in self._workers:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


@contextmanager
def _heard_signals(heard: list[int]) -> Iterator[int]:
    """Note stop signals in that list, and make a file descriptor readable for each and for a child's end."""
    awake, wake = os.pipe()
    for end in (awake, wake):
        os.set_blocking(end, False)
    before = signal.set_wakeup_fd(wake)
    handlers = {number: signal.signal(number, lambda number, _frame: heard.append(number)) for number in STOP_SIGNALS}
    handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        yield awake
    finally:
        signal.set_wakeup_fd(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.close(awake)
        os.close(wake)


def _say(pipe: int) -> None:
    with suppress(OSError):
        os.write(pipe, _READY)


def _stop_when_orphaned(life: int) -> None:
    while os.read(life, 1):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


def run_workers(
    answer: Callable[[Path, Callable[[], None]], int],
    *,
    count: int,
    listener: socket.socket,
    drain_seconds: float,
    counts: Path | None,
    door: Address | None,
    tell_ready: Callable[[], None],
) -> int:
    """Let so many processes `answer` until told to stop; the exit status. Each gets the directory in which they count
    together, `counts` or one of our own, and what to call when it answers. `door` is where all of them will tell their
    metrics; nobody else may listen there, unless `counts` are shared with others. Raises: OSError, CannotListen."""
    from plumbing.shared_counts import count_as, name_of, no_longer_there, shared_place
    from plumbing.side_door import refuse_if_taken

    if door is not None and counts is None:
        refuse_if_taken(door)
    parent = os.getpid()
    with shared_place(counts) as place:

        def work(number: int, ready: Callable[[], None]) -> int:
            count_as(place, name_of(parent, number))
            return answer(place, ready)

        return Supervisor(
            count=count,
            work=work,
            listener=listener,
            drain_seconds=drain_seconds,
            tell_ready=tell_ready,
            tell_gone=lambda number: no_longer_there(place, name_of(parent, number)),
        ).run()
