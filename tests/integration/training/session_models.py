"""A small session model of an invented log, fitted once for all tests that ask for one."""

import functools
import tempfile
from pathlib import Path
from typing import NamedTuple

from training.activity.files import simulate
from training.activity.log import Plan
from training.activity.training import Request, trained

FITTED_ON, REPORTED_ON = 11, 12
"""Seeds: what is reported is never what was fitted on."""


_PLACE = tempfile.TemporaryDirectory(prefix="session-model-")
"""Until the process ends."""


class Made(NamedTuple):
    """Where the model, its keys and its log lie, and what training told."""

    folder: Path
    key: Path
    public_key: Path
    log: Path
    labels: Path
    told: dict[str, object]


@functools.cache
def small_model() -> Made:
    """The model; whoever changes its files takes a copy first."""
    place = Path(_PLACE.name)
    log, labels = simulated(place, seed=FITTED_ON)
    request = Request(log, labels, place / "model", place / "keys" / "signing.key", seed=1)
    told = trained(request, lambda step, share: None)
    return Made(request.model_dir, request.key, request.key.with_suffix(".pub"), log, labels, told)


def simulated(place: Path, *, seed: int, rows: int = 7_000, people: int = 100, days: int = 12) -> tuple[Path, Path]:
    """A small invented log and its labels."""
    log = place / f"log{seed}.csv"
    simulate(Plan(rows, people, days, seed), log, lambda step, share: None)
    return log, log.with_name(f"log{seed}.labels.jsonl")
