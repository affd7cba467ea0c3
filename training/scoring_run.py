"""Scores of a log by a published model, and the verdict on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from risk_scorer.adapters.model_store import BadPublicKey, public_keys, read_files
from risk_scorer.core.artefact import BadArtefact, load
from risk_scorer.core.model import Model
from training.evaluate import evaluate_file
from training.lookup_files import open_lookups
from training.lookups import address_problem
from training.outputs import require_apart, write_scores
from training.refusals import WrongInputError
from training.sources import read_events
from training.stream import Progress, score_table


@dataclass(frozen=True)
class Judge:
    """A model, and what else must be as it was at training."""

    model_dir: Path
    public_key: Path
    overlays: Sequence[Path] = ()
    listed: Sequence[Path] = ()


def scored(source: Path, judge: Judge, output: Path, progress: Progress) -> dict[str, Any]:
    """Score the log and write the scores; returns the facts to tell. Raises WrongInputError."""
    require_apart([output], [source])
    model = opened_model(judge)
    progress("read", 0.0)
    table = read_events(source)
    progress("read", 1.0)
    lookups = open_lookups(overlays=judge.overlays, listed=judge.listed)
    problem = address_problem(table, lookups)
    usable = lookups if problem is None else lookups.without_networks()
    unread = write_scores(table, score_table(model, table, usable, progress=progress), output)
    return {
        "written": str(output),
        "rows": table.rows_in_file,
        "unread_rows_scored_100": unread,
        "dropped": dict(sorted(table.dropped.items())),
        "notes": [*table.notes, *([problem] if problem else [])],
        "model_version": model.version,
    }


def judged(labels: Path, scores: Path) -> str:
    """Recall at fixed false-positive rates, as text. Raises WrongInputError for a missing or foreign file."""
    for path in (labels, scores):
        if not path.is_file():
            raise WrongInputError("no_such_file", f"there is no file {path}")
    return evaluate_file(labels, scores)


def opened_model(judge: Judge) -> Model:
    """The model, checked as the scoring service checks it. Raises WrongInputError with the code of what is wrong."""
    model_dir, public_key = judge.model_dir, judge.public_key
    try:
        return load(read_files(model_dir), public_keys([str(public_key)]))
    except FileNotFoundError as cause:
        raise WrongInputError("no_model", f"there is no signed model in {model_dir}") from cause
    except BadPublicKey as cause:
        raise WrongInputError("bad_public_key", f"{public_key} holds no Ed25519 public key") from cause
    except BadArtefact as cause:
        raise WrongInputError(cause.code, f"the model in {model_dir} cannot be used: {cause}") from cause
