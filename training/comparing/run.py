"""One run of `risk-training compare`: which models, which log, from when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.comparing.comparison import Comparison
from training.comparing.on_log import compared, open_comparison_log
from training.comparing.registered import model_named
from training.stream import Progress
from training.training_run import moment_of


@dataclass(frozen=True)
class Request:
    """What was asked for. `active` and `candidate` name versions of `registry` or its pointers, or folders with a
    model."""

    active: str
    candidate: str
    registry: str
    public_key: Path
    source: str
    starts: str | None = None
    labels: Path | None = None
    overlays: Sequence[Path] = ()
    listed: Sequence[Path] = ()


def compared_on_log(request: Request, progress: Progress) -> Comparison:
    """The comparison that was asked for. Raises WrongInputError."""
    starts = None if request.starts is None else moment_of(request.starts, option="--from")
    active, candidate = (
        model_named(name, request.registry, request.public_key) for name in (request.active, request.candidate)
    )
    log = open_comparison_log(
        request.source,
        labels=request.labels,
        overlays=request.overlays,
        listed=request.listed,
        progress=progress,
    )
    return compared(active, candidate, log, starts=starts, progress=progress)
