"""Trains a model on a large log: counted over all logins, fitted on the logins of drawn people, histories for everyone.

What is fitted, checked and published is what `training.fit` does with a small log; a log of up to
`people_sample.WHOLE_LOG_ROWS` logins goes that way and never comes here.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from risk_scorer.core.artefact import HISTORIES, USER_GEO
from risk_scorer.core.history import UserHistory
from training import measure
from training.columns.clocks import clocks_of
from training.columns.facts import Facts, facts_of
from training.columns.log import CodedLog
from training.columns.people import write_histories
from training.columns.people_sample import sampled_rows
from training.columns.places import write_places
from training.columns.sweep import sweep_sample
from training.fit import TrainReport, fit, published, require_enough
from training.labelling.evidence import NO_EVIDENCE, evidence_of
from training.labelling.report import Labelled, label_report
from training.lineage import NO_ORIGIN, Origin
from training.lookups import ENOUGH_TO_JUDGE, Lookups, address_problem
from training.marked import Budgets, taught
from training.publish import Written
from training.stream import Progress, quiet


def train_large(
    log: CodedLog,
    *,
    model_dir: Path,
    key_path: Path,
    seed: int,
    lookups: Lookups,
    labelled: Labelled[CodedLog] | None = None,
    without: frozenset[str] = frozenset(),
    budgets: Budgets | None = None,
    origin: Origin = NO_ORIGIN,
    progress: Progress = quiet,
) -> TrainReport:
    """Publishes a signed model as `fit.train` does, in memory bounded by the log's rows and not by its texts.

    The same log, seed and libraries give the same bytes, whichever engine read it. Raises as `fit.train`.
    """
    require_enough(log)
    spread = np.unique(np.linspace(0, len(log) - 1, min(len(log), ENOUGH_TO_JUDGE)).astype(np.int64))
    problem = address_problem(log.table(spread), lookups)
    usable = lookups if problem is None else lookups.without_networks()
    facts = facts_of(log, usable)
    progress("look up", 1.0)
    evidence = NO_EVIDENCE if labelled is None else evidence_of(labelled.matched, usable)
    rows = sampled_rows(log, seed, first={told.seen.user_id for told in evidence.told})
    sample = log.table(rows)
    absent = measure.columns_of(sample, address_problem=problem, without=without)
    swept = sweep_sample(facts, rows, usable, absent=absent, seed=seed, evidence=evidence, progress=progress)
    fitted = fit(swept, absent, seed=seed, budgets=budgets or Budgets())
    fitted = replace(fitted, notes=(*fitted.notes, _drawn(log, rows)))
    progress("fit", 1.0)
    model_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", suffix=".part", dir=model_dir) as place:
        written, best_known = _written(facts, usable, Path(place))
        progress("histories", 1.0)
        signed: dict[str, Any] = {"seed": seed, "key_path": key_path, "model_dir": model_dir, "origin": origin}
        told = None if labelled is None else label_report(labelled, evidence, taught(swept), fitted.label_share)
        report = published(log, swept, fitted, **signed, written=written, best_known=best_known, labels=told)
    progress("publish", 1.0)
    return report


def _written(facts: Facts, lookups: Lookups, place: Path) -> tuple[dict[str, Written], UserHistory]:
    stored = write_histories(facts, clocks_of(facts, lookups.local_time), place / HISTORIES)
    geo = write_places(facts, place / USER_GEO)
    return {
        HISTORIES: Written(stored.path, stored.sha256),
        USER_GEO: Written(place / USER_GEO, geo),
    }, stored.best_known


def _drawn(log: CodedLog, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
    people = len(np.unique(log.codes["user_id"][rows]))
    return (
        f"fitted on all {len(rows)} logins of {people} people, drawn from {log.people} by a digest of their ids;"
        " frequencies, pressure, places and histories are those of everybody"
    )
