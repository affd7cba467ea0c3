"""Everything an evaluation says, as one JSON object of numbers: the report draws it, scripts read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.model import Model
from training.baselines import BASELINES
from training.baselines.log_columns import LogColumns
from training.evaluate import Labels, verdict
from training.evaluation import ablation, curves, rates, recall
from training.evaluation.labels import Truth
from training.evaluation.provenance import is_synthetic
from training.reports import iso
from training.sources import EventTable
from training.stream import Progress

Vector = NDArray[np.float64]

FORMAT = "riskgate-evaluation/1"
SEED = 0
"""Of the bootstrap: the same scores give the same intervals."""


@dataclass(frozen=True)
class Judged:
    """A scored log: `truth` of the judged rows alone, `score` of every row, `parts` of the rows `looked_at`."""

    source: Path
    table: EventTable
    truth: Truth
    starts: float
    score: Vector
    looked_at: NDArray[np.int64]
    parts: ablation.Parts
    notes: Sequence[str]


def facts(model: Model, judged: Judged, columns: LogColumns, progress: Progress) -> dict[str, Any]:
    """The whole evaluation. Labels meet scores here for the first time."""
    truth, score = judged.truth, judged.score
    budgets = {name: mark.budget for name, mark in model.manifest.marks.items()}
    chance = np.random.default_rng(SEED)
    told = {
        "format": FORMAT,
        "data": _data(judged),
        "model": _model(model),
        "rates": rates.alarms(truth, score, budgets),
        "recall": recall.at_rates(truth, score, chance),
        "at_marks": recall.at_marks(truth, score, chance),
        "by_history": recall.by_people(truth, score, chance),
        "curves": curves.by_family(truth, score),
        "macro": curves.macro_drawn(truth, score),
        "reliability": curves.reliability(truth, score),
        "promised": curves.promised(truth, score, model.score_map, budgets),
        "histograms": curves.histograms(truth, score),
        "verdict": verdict_on(truth, score),
    }
    progress("compare", 0.0)
    told["baselines"] = _baselines(judged, columns, progress)
    progress("ablate", 0.0)
    told["ablation"] = ablation.ablated(model, judged.parts, among(truth, judged.looked_at))
    progress("ablate", 1.0)
    return told


def verdict_on(truth: Truth, score: Vector) -> list[str]:
    """The protocol's lines."""
    return verdict(Labels(truth.legitimate, truth.families, truth.history), score)


def among(truth: Truth, rows: NDArray[np.int64]) -> Truth:
    """The truth of these rows alone."""
    families = {name: found[rows] for name, found in truth.families.items()}
    return Truth(truth.legitimate[rows], families, truth.history[rows], truth.schema)


def _data(judged: Judged) -> dict[str, Any]:
    table, truth = judged.table, judged.truth
    in_span = table.timestamp >= judged.starts
    return {
        "file": judged.source.name,
        "schema": truth.schema,
        "rows_in_file": table.rows_in_file,
        "rows": len(table),
        "dropped": dict(sorted(table.dropped.items())),
        "users": len(set(table.user_id)),
        "first": iso(float(table.timestamp[0])),
        "last": iso(float(table.timestamp[-1])),
        "judged_from": iso(judged.starts),
        "judged_rows": int(in_span.sum()),
        "legitimate": int(truth.legitimate.sum()),
        "neither": int((in_span & ~truth.legitimate & ~truth.attacks).sum()),
        "families": {name: _family(judged, rows) for name, rows in truth.families.items()},
        "is_synthetic": is_synthetic(judged.notes),
        "notes": list(judged.notes),
    }


def _family(judged: Judged, rows: NDArray[np.bool_]) -> dict[str, int]:
    groups = rates.by_history(judged.truth.history)
    return {
        "rows": int(rows.sum()),
        "successful": int((rows & judged.table.success).sum()),
        **{name: int((rows & group).sum()) for name, group in groups.items()},
    }


def _model(model: Model) -> dict[str, Any]:
    manifest = model.manifest
    marks = {
        name: {
            "budget": mark.budget,
            "bound": mark.bound,
            "logins": mark.logins,
            "is_extrapolated": mark.is_extrapolated,
        }
        for name, mark in manifest.marks.items()
    }
    return {
        "version": model.version,
        "trained_from": iso(manifest.span.first),
        "trained_until": iso(manifest.span.last),
        "rows": manifest.rows.used,
        "features": list(model.features),
        "marks": marks,
    }


def _baselines(judged: Judged, columns: LogColumns, progress: Progress) -> list[dict[str, Any]]:
    """None where the log has nothing that they could learn from."""
    is_judged = judged.table.timestamp >= judged.starts
    told: list[dict[str, Any]] = []
    if not (columns.teaches & ~is_judged).any():
        return told
    for number, baseline in enumerate(BASELINES):
        score = baseline.score(columns, is_judged)
        told.append(
            {
                "name": baseline.name,
                "title": baseline.title,
                "source": baseline.source,
                "recall": recall.at_rates(judged.truth, score, np.random.default_rng(SEED)),
                "macro": curves.macro_drawn(judged.truth, score),
            }
        )
        progress("compare", (number + 1) / len(BASELINES))
    return told
