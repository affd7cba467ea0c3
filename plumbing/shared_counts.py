"""What several workers of one service count, in files of a directory of theirs, so that each can answer for all.

A worker goes by its number, not by its process id: one that takes the place of another goes on where that one was, so
that a total never falls and the files do not grow in number.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# Written here for the library, which looks there and nowhere else; read it is by the settings alone.
from os import environ
from pathlib import Path

from prometheus_client import values
from prometheus_client.multiprocess import mark_process_dead

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def shared_place(given: Path | None) -> Iterator[Path]:
    """The directory that was given, or one of our own, gone afterwards. Raises: OSError."""
    if given is not None:
        yield given
        return
    place = Path(tempfile.mkdtemp(prefix="riskgate-counts-"))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def count_as(place: Path, worker: str) -> None:
    """Every metric that this process makes from now on is kept there, under that name."""
    environ[VARIABLE] = str(place)
    values.ValueClass = values.MultiProcessValue(lambda: worker)  # type: ignore[no-untyped-call]


def no_longer_there(place: Path, worker: str) -> None:
    """What that worker had at hand is no more; what it counted stays."""
    mark_process_dead(worker, str(place))  # type: ignore[no-untyped-call]


def name_of(parent: int, number: int) -> str:
    """The name of a worker by its parent's process id, unlike that of any other parent's on this machine."""
    return f"{parent}-{number}"
