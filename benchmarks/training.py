"""From a synthetic log of any size to a registered candidate: by stage the time and the most memory of all processes.

Each size runs in a process of its own, on a log that is invented once and kept under `var/benchmarks`.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

KEPT: Final = Path(__file__).resolve().parents[1] / "var" / "benchmarks"
ROWS: Final = (100_000, 300_000, 1_000_000)
ROWS_A_PERSON: Final = 10
LOOK_SECONDS: Final = 0.1
MEGABYTE: Final = 1e6
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Stage(NamedTuple):
    """A step of the way, how long it took, and the most memory that was held at a time while it did."""

    name: str
    seconds: float
    bytes: int


class Watch:
    """Measures stages one after the other; a thread looks at the memory of this process and of its children."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self._since = time.perf_counter()
        self._most = held_bytes(os.getpid())
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def ended(self, name: str) -> None:
        """The stage of that name is over, and the next begins."""
        now = time.perf_counter()
        self.stages.append(Stage(name, now - self._since, self._most))
        self._since, self._most = now, held_bytes(os.getpid())

    def close(self) -> None:
        """Looks no more."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self._most = max(self._most, held_bytes(os.getpid()))


def held_bytes(process: int) -> int:
    """What the process and all that it started hold in memory; pages that they share count for each."""
    try:
        held = int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
        started = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except (OSError, ValueError):
        return 0
    return held + sum(held_bytes(int(child)) for child in started)


def measure(console: Console, *, rows: Sequence[int]) -> None:
    """Prints a table with a column a size."""
    found: dict[int, list[Stage]] = {}
    for size in rows or ROWS:
        log = invented(size, console)
        console.print(f"training on {size:,} rows …")
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            found[size] = alone.submit(run, log).result()
    show(found, console)


def invented(rows: int, console: Console) -> Path:
    """The folder with the synthetic log of so many rows, made unless it is there."""
    from training.rba_simulation import planned, simulate

    folder = KEPT / f"rba-{rows}"
    if not folder.exists():
        console.print(f"inventing {rows:,} rows …")
        folder.parent.mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        simulate(planned(rows, rows // ROWS_A_PERSON, 1), folder, lambda _step, _share: None)
        console.print(f"{rows / (time.perf_counter() - began):,.0f} rows a second")
    return folder


def run(log: Path) -> list[Stage]:
    """The stages of one training, to the version in a registry."""
    from training.registry.opening import opened_desk
    from training.training_run import Request, trained

    place = KEPT / f"{log.name}-model"
    shutil.rmtree(place, ignore_errors=True)
    watch = Watch()
    key, model_dir = place / "keys" / "signing.key", place / "models"
    trained(Request(sources=[str(log)], model_dir=model_dir, key=key, seed=1), _told(watch))
    with opened_desk(str(place / "registry"), key, by="benchmark", trusted=()) as desk:
        desk.register(model_dir)
    watch.ended("register")
    watch.close()
    shutil.rmtree(place, ignore_errors=True)
    return watch.stages


def _told(watch: Watch) -> Callable[[str, float], None]:
    def told(step: str, share: float) -> None:
        if share == 1.0:
            watch.ended(step)

    return told


def show(found: dict[int, list[Stage]], console: Console) -> None:
    """Seconds and megabytes of each stage and size."""
    table = Table("stage", *(f"{rows:,} rows" for rows in found), title="seconds, most MB")
    names = list(dict.fromkeys(stage.name for stages in found.values() for stage in stages))
    for name in names:
        table.add_row(name, *(_cell([stage for stage in stages if stage.name == name]) for stages in found.values()))
    table.add_row("all", *(_cell(stages) for stages in found.values()), style="bold")
    console.print(table)


def _cell(stages: Sequence[Stage]) -> str:
    if not stages:
        return ""
    return f"{sum(stage.seconds for stage in stages):.1f} s, {max(stage.bytes for stage in stages) / MEGABYTE:,.0f} MB"
