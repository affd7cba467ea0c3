"""What the histories of very many people take: bytes, disk, memory and time to look one up.

Measured with `PEOPLE` histories shaped like the sample's people; what a million take is told as extrapolated.
"""

import gc
import os
import random
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console

from benchmarks import people
from benchmarks.home import MODELS, Home
from benchmarks.report import Figure
from plumbing.clock import SystemClock
from risk_scorer.adapters.profile_store import CACHED_USERS, ProfileStore
from risk_scorer.adapters.storage import FILE_NAME, open_state
from risk_scorer.core import artefact
from risk_scorer.core.history import decode, encode

PEOPLE, MILLION = 100_000, 1_000_000
LOOKED_UP = 2_000
CORE = 0


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the histories are, the bytes of each, and of the file that holds them all."""

    state: Path
    sizes: Mapping[str, int]
    file_bytes: int
    import_seconds: float

    @property
    def per_person(self) -> float:
        return statistics.fmean(self.sizes.values())


def stored(state: Path, known: Mapping[str, bytes]) -> Stored:
    """`PEOPLE` histories like these, imported as those of a model are."""
    sizes: dict[str, int] = {}

    def each() -> Iterator[tuple[str, bytes]]:
        for person, history in people.histories_like(known, PEOPLE):
            blob = encode(history)
            sizes[person] = len(blob)
            yield person, blob

    database = open_state(state)
    began = time.perf_counter()
    try:
        ProfileStore(database, clock=SystemClock()).import_histories("many", each())
    finally:
        seconds = time.perf_counter() - began
        database.close()
    on_disk = sum(file.stat().st_size for file in state.glob(f"{FILE_NAME}*"))
    return Stored(state, sizes, on_disk, seconds)


def resident_bytes(state: Path, persons: Sequence[str]) -> float:
    """What this process grows by for each of these people in the cache. For a process of its own."""
    database = open_state(state)
    try:
        one = ProfileStore(database, clock=SystemClock(), cached_users=1)
        for person in persons:  # fills SQLite's own page cache, which is no history's
            one.get_many([person])
        store = ProfileStore(database, clock=SystemClock(), cached_users=len(persons))
        gc.collect()
        before = _resident()
        for person in persons:
            store.get_many([person])
        gc.collect()
        return (_resident() - before) / len(persons)
    finally:
        database.close()


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def in_memory(kept: Stored, persons: Sequence[str]) -> float:
    """`resident_bytes` as a new process has it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        return processes.submit(resident_bytes, kept.state, persons).result()


def median_us(work: Callable[[str], object], persons: Sequence[str]) -> float:
    """The median of one call for each person, in µs."""
    times = []
    for person in persons:
        began = time.perf_counter_ns()
        work(person)
        times.append(time.perf_counter_ns() - began)
    return statistics.median(times) / 1000


def look_ups(kept: Stored, rounds: int) -> Iterator[Figure]:
    """From memory against from SQLite, and that against the bare row; the file is in the system's page cache."""
    chance, everyone = random.Random(1), list(kept.sizes)
    cached_us, stored_us, bare_us = [], [], []
    database = open_state(kept.state)
    plain = sqlite3.connect(kept.state / FILE_NAME, isolation_level=None)
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CORE})

    def bare(person: str) -> object:
        return plain.execute("SELECT blob, version FROM user_histories WHERE user_id = ?", (person,)).fetchone()

    try:
        uncached = ProfileStore(database, clock=SystemClock(), cached_users=1)
        for _ in range(rounds):
            some = chance.sample(everyone, LOOKED_UP)
            bare_us.append(median_us(bare, some))
            stored_us.append(median_us(lambda person: uncached.get_many([person]), some))
            cached = ProfileStore(database, clock=SystemClock())
            cached.get_many(some)
            cached_us.append(median_us(lambda person: cached.get_many([person]), some))  # noqa: B023
    finally:
        os.sched_setaffinity(0, before)
        plain.close()
        database.close()
    yield Figure("history from SQLite", "µs", "its row alone by sqlite3", stored_us, bare_us, "", more_is_better=False)
    yield Figure("history from memory", "µs", "from SQLite", cached_us, stored_us, "", more_is_better=False)


def measure(rounds: int, console: Console) -> Iterator[Figure]:
    """Sizes are measured once: they do not change from round to round."""
    with Home() as home:
        known = dict(artefact.histories((MODELS / artefact.HISTORIES).read_bytes()))
        kept = stored(home.state / "many", known)
        everyone = list(kept.sizes)
        usual = in_memory(kept, random.Random(2).sample(everyone, CACHED_USERS))
        p95 = int(np.percentile(list(kept.sizes.values()), 95))
        large = [person for person, size in kept.sizes.items() if size >= p95][:CACHED_USERS]
        largest = in_memory(kept, large)
        logins = statistics.fmean(decode(blob).logins for blob in known.values())
        as_json = logins * statistics.fmean(len(msgspec.json.encode(event)) for event in people.own_logins())
        for name, ours, of in (
            ("history, encoded", kept.per_person, (f"its {logins:.0f} logins as JSON", as_json)),
            ("history on disk", kept.file_bytes / PEOPLE, ("encoded", kept.per_person)),
            ("history in memory", usual, ("encoded", kept.per_person)),
        ):
            yield Figure(name, "bytes a person", of[0], [ours], [of[1]], "", more_is_better=False)
        yield from look_ups(kept, rounds)
        facts = {
            "encoded, mean": kept.per_person,
            "encoded, 95th percentile": float(p95),
            "encoded, as full as it can get": float(len(encode(people.fullest(known)))),
            "in memory, mean": usual,
            f"in memory, 95th percentile and above ({len(large)} people)": largest,
        }
    console.print(f"{PEOPLE:,} histories, imported in {kept.import_seconds:.1f} s; bytes a person:")
    for fact, size in facts.items():
        console.print(f"  {fact}: {size:,.0f}")
    console.print(
        f"  a million people, extrapolated from {PEOPLE:,}: {kept.file_bytes / PEOPLE * MILLION / 1e9:.2f} GB on disk; "
        f"in memory {usual * CACHED_USERS / 1e6:.0f} MB for the {CACHED_USERS:,} that are kept "
        f"({usual * MILLION / 1e9:.2f} GB if all were)"
    )
