"""One run of `risk-training compare`: which models, which log or which live logins, from when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.comparing import on_log
from training.comparing.comparison import Comparison
from training.comparing.on_shadow import compared_live
from training.comparing.registered import model_named
from training.refusals import WrongInputError
from training.stream import Progress
from training.training_run import moment_of

DEFAULT_DATABASE: Final = "sqlite:///var/scorer/scorer.db"


@dataclass(frozen=True)
class Request:
    """What was asked for. `active` and `candidate` name versions of `registry` or its pointers, or folders with a
    model. Either `source` is a log, or what was shadowed live is read from `database`.
    """

    active: str
    candidate: str
    registry: str
    public_key: Path
    source: str | None = None
    is_live: bool = False
    database: str | None = None
    starts: str | None = None
    labels: Path | None = None
    overlays: Sequence[Path] = ()
    listed: Sequence[Path] = ()


def compared(request: Request, progress: Progress) -> Comparison:
    """The comparison that was asked for. Raises WrongInputError, UnreachableError."""
    is_mixed = request.labels is not None if request.is_live else request.database is not None
    if (request.source is None) != request.is_live or is_mixed:
        raise WrongInputError("usage", "give a log with --input (and --labels), or --shadow (and --database)")
    starts = None if request.starts is None else moment_of(request.starts, option="--from")
    if request.source is None:
        since = float("-inf") if starts is None else starts
        return compared_live(request.database or DEFAULT_DATABASE, request.active, request.candidate, starts=since)
    active, candidate = (
        model_named(name, request.registry, request.public_key) for name in (request.active, request.candidate)
    )
    log = on_log.open_comparison_log(
        request.source,
        labels=request.labels,
        overlays=request.overlays,
        listed=request.listed,
        progress=progress,
    )
    return on_log.compared(active, candidate, log, starts=starts, progress=progress)
