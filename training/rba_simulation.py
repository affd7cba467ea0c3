"""The large invented log: planned, shared out among processes, and put in its place whole or not at all."""

import collections
import contextlib
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from pathlib import Path

from training.refusals import EngineError, WrongInputError
from training.simulator.rba.folder import SYNTHETIC, Counts, Part, Plan, Writer, parts
from training.simulator.rba.schedule import hostile_and_mistyped

__all__ = ["SYNTHETIC", "Plan", "simulate"]

MIN_ROWS, MAX_ROWS = 500, 200_000_000
MIN_PEOPLE = 20
ROWS_PER_PERSON = 10
WORTH_SHARING_ROWS = 500_000
MOST_PROCESSES = 8

Progress = Callable[[str, float], None]


def planned(rows: int, people: int | None, seed: int) -> Plan:
    """What is to be invented: a person for every ten logins unless it is said.

    Raises WrongInputError: bad_row_count, bad_people_count.
    """
    if not MIN_ROWS <= rows <= MAX_ROWS:
        raise WrongInputError("bad_row_count", f"rows must be between {MIN_ROWS} and {MAX_ROWS}, not {rows}")
    people = rows // ROWS_PER_PERSON if people is None else people
    most = rows - sum(hostile_and_mistyped(rows))
    if not MIN_PEOPLE <= people <= most:
        raise WrongInputError("bad_people_count", f"{rows} rows have {MIN_PEOPLE} to {most} people, not {people}")
    return Plan(rows, people, seed)


def simulate(plan: Plan, out: Path, progress: Progress, *, processes: int | None = None) -> Counts:
    """Write the log as the folder `out`; how many rows of each kind it has.

    The same plan gives the same files whatever the number of processes (one for each processor unless it is said; for
    small logs this one alone). Raises WrongInputError("unwritable_output"), EngineError("engine_failed").
    """
    counts: Counts = collections.Counter()
    done = 0
    with _placed_whole(out) as draft:
        for part, found in _written(plan, draft, processes or _processes(plan)):
            counts += found
            done += part.rows
            progress("simulate", done / plan.rows)
    return counts


def _written(plan: Plan, folder: Path, processes: int) -> Iterator[tuple[Part, Counts]]:
    if processes == 1:
        writer = Writer(plan)
        yield from ((part, writer.write(part, folder)) for part in parts(plan))
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy the locks of Arrow's threads
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(plan,))
    try:
        jobs = {pool.submit(_write, part, folder): part for part in parts(plan)}
        for job in as_completed(jobs):
            yield jobs[job], job.result()
    except BrokenProcessPool as cause:
        raise EngineError("engine_failed", "a process that wrote the log was ended; is there enough memory?") from cause
    finally:
        pool.shutdown(cancel_futures=True)


def _processes(plan: Plan) -> int:
    return 1 if plan.rows < WORTH_SHARING_ROWS else min(MOST_PROCESSES, len(os.sched_getaffinity(0)))


_writers: list[Writer] = []
"""The one writer of a process that was started to write."""


def _begin(plan: Plan) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one is interrupted, and ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _writers[:] = [Writer(plan)]


def _end_with_parent() -> None:
    """A process that was killed leaves no others behind that wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _write(part: Part, folder: Path) -> Counts:
    return _writers[0].write(part, folder)


@contextlib.contextmanager
def _placed_whole(out: Path) -> Iterator[Path]:
    """A folder to write into; it becomes `out` when the block ends well and is removed otherwise."""
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise WrongInputError("unwritable_output", f"{out} is there already; give a new or an empty folder")
    draft = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        draft.mkdir(parents=True)
        yield draft
        os.replace(draft, out)
    except OSError as cause:
        raise WrongInputError("unwritable_output", f"{out} cannot be written: {cause.strerror or cause}") from cause
    finally:
        shutil.rmtree(draft, ignore_errors=True)
