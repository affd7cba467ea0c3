"""One run of `risk-training evaluate`: the log, the model, the scores, the labels, and what to write and say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyarrow import ArrowInvalid, parquet

from risk_scorer.core.features import WIDTH
from risk_scorer.core.model import Model
from risk_scorer.core.terms import TERMS
from training.assessed import assess_table
from training.baselines.log_columns import log_columns
from training.evaluation import ablation
from training.evaluation.facts import Judged, facts, verdict_on
from training.evaluation.labels import Truth, read_truth
from training.evaluation.provenance import notes_in
from training.evaluation.span import PROTOCOL_STARTS, judged_from, overlap
from training.log_schemas import RBA
from training.lookup_files import open_lookups
from training.lookups import Lookups, address_problem
from training.outputs import replaced_whole, require_apart
from training.refusals import WrongInputError, text_of
from training.report.page import page
from training.scoring_run import Judge, opened_model
from training.sources import EventTable, read_events
from training.stream import Progress, score_table
from training.training_run import moment_of

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Request:
    """What was asked for. `scores` is a file of scores to judge beside the model's, `note` is shown on top.

    `report` and `json_out` are the files to write.
    """

    source: Path
    judge: Judge
    starts: str | None = None
    scores: Path | None = None
    note: str = ""
    report: Path | None = None
    json_out: Path | None = None


@dataclass(frozen=True)
class _Log:
    table: EventTable
    truth: Truth
    lookups: Lookups
    notes: tuple[str, ...]


def quick_verdict(request: Request, progress: Progress) -> str:
    """The protocol's lines on the model's scores, or on those of the file that was given. Raises WrongInputError."""
    moment = _asked(request)
    if request.scores is not None:
        table = read_events(request.source)
        truth = read_truth(request.source, table)
        starts = moment if moment is not None else _without_model(truth)
        judged = truth.between(table.timestamp >= starts)
        return "\n".join(verdict_on(judged, _given(request.scores, table)))
    model = opened_model(request.judge)
    log = _read(request, progress)
    starts = moment if moment is not None else judged_from(log.truth.schema, model.manifest.span, log.table.timestamp)
    judged = log.truth.between(log.table.timestamp >= starts)
    return "\n".join(verdict_on(judged, score_table(model, log.table, log.lookups, progress=progress)))


def evaluated(request: Request, progress: Progress) -> dict[str, Any]:
    """The whole evaluation as one JSON object, its files written. Raises WrongInputError."""
    moment = _asked(request)
    _check_places(request)
    model = opened_model(request.judge)
    log = _read(request, progress)
    given = None if request.scores is None else _given(request.scores, log.table)
    span = model.manifest.span
    starts = moment if moment is not None else judged_from(log.truth.schema, span, log.table.timestamp)
    truth = log.truth.between(log.table.timestamp >= starts)
    warnings = [overlap(starts, span, log.table.timestamp), _untaught(log.table, starts)]
    looked_at = ablation.looked_at(truth)
    score, parts = _assessed(model, log, looked_at, progress)
    judged = Judged(
        source=request.source,
        table=log.table,
        truth=truth,
        starts=starts,
        score=score,
        looked_at=looked_at,
        parts=parts,
        notes=(*([request.note] if request.note else []), *log.notes, *filter(None, warnings)),
    )
    told = facts(model, judged, log_columns(log.table, log.lookups), progress)
    told["verdict_on_scores_file"] = None if given is None else verdict_on(truth, given)
    _write(told, request)
    return told


def _untaught(table: EventTable, starts: float) -> str | None:
    """What to say of a log that begins where judging does."""
    if (table.success & (table.probe == "") & (table.timestamp < starts)).any():
        return None
    return "no login of this log comes before those that are judged: the baselines, which learn from it, are left out"


def _check_places(request: Request) -> None:
    """Told before the minutes of work, not after."""
    text_of("--note", request.note)
    for path in (request.report, request.json_out):
        if path is not None and path.is_dir():
            raise WrongInputError("unwritable_output", f"{path} is a directory")
    if request.report and request.json_out and request.report.resolve() == request.json_out.resolve():
        raise WrongInputError("unwritable_output", "the report and the JSON cannot be one file")
    require_apart([request.report, request.json_out], [request.source, request.scores])


def _write(told: Mapping[str, Any], request: Request) -> None:
    """Each file whole or not at all."""
    if request.report is not None:
        with replaced_whole(request.report) as draft:
            draft.write_text(page(told), encoding="utf-8")
    if request.json_out is not None:
        with replaced_whole(request.json_out) as draft:
            draft.write_text(json.dumps(told, ensure_ascii=False, allow_nan=False, indent=1) + "\n", encoding="utf-8")


def _asked(request: Request) -> float | None:
    return None if request.starts is None else moment_of(request.starts, option="--from")


def _without_model(truth: Truth) -> float:
    """From when a file of scores is judged: the protocol's date for the RBA schema, else the log's beginning."""
    return PROTOCOL_STARTS if truth.schema == RBA.name else -np.inf


def _read(request: Request, progress: Progress) -> _Log:
    progress("read", 0.0)
    table = read_events(request.source)
    truth = read_truth(request.source, table)
    lookups = open_lookups(overlays=request.judge.overlays, listed=request.judge.listed)
    problem = address_problem(table, lookups)
    progress("read", 1.0)
    return _Log(
        table=table,
        truth=truth,
        lookups=lookups if problem is None else lookups.without_networks(),
        notes=(*notes_in(request.source), *table.notes, *([problem] if problem else [])),
    )


def _assessed(
    model: Model, log: _Log, looked_at: NDArray[np.int64], progress: Progress
) -> tuple[Vector, ablation.Parts]:
    """Every row's score, and what the scores of the rows to look at are made of."""
    score = np.empty(len(log.table))
    wanted = len(looked_at)
    parts = ablation.Parts(np.empty((wanted, WIDTH)), np.empty((wanted, len(TERMS))), np.empty(wanted))
    for start, stop, scored in assess_table(model, log.table, log.lookups, progress=progress):
        score[start:stop] = scored.score
        first, last = np.searchsorted(looked_at, (start, stop))
        rows = looked_at[first:last] - start
        parts.features[first:last] = scored.features[rows]
        parts.evidence[first:last] = scored.weighed.evidence[rows]
        parts.total[first:last] = scored.weighed.total[rows]
    return score, parts


def _given(path: Path, table: EventTable) -> Vector:
    """The column `risk` of a scores file, in the order of the table. Raises WrongInputError."""
    if not path.is_file():
        raise WrongInputError("no_such_file", f"there is no file {path}")
    try:
        found = parquet.read_table(path)
    except (OSError, ArrowInvalid) as cause:
        raise WrongInputError("not_parquet", f"{path.name} cannot be read as Parquet") from cause
    if "risk" not in found.column_names:
        raise WrongInputError("unknown_columns", f"{path.name} lacks risk")
    try:
        risk = found.column("risk").to_numpy(zero_copy_only=False).astype(np.float64)
    except (ValueError, TypeError) as cause:
        raise WrongInputError("scores_do_not_fit", f"the column risk of {path.name} holds no numbers") from cause
    if len(risk) != table.rows_in_file or not np.isfinite(risk).all():
        raise WrongInputError("scores_do_not_fit", f"expected {table.rows_in_file} finite scores, got {len(risk)}")
    ordered: Vector = risk[table.row_order]
    return ordered
