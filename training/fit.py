"""Trains a model on a log: sweep, measure, fit, calibrate, check, publish. No label is read, nothing later is seen."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from risk_scorer.core import features, forest
from risk_scorer.core.artefact import MANIFEST, load
from risk_scorer.core.features import Scales
from risk_scorer.core.history import UserHistory
from risk_scorer.core.label_report import LabelReport
from risk_scorer.core.likelihood import Likelihood
from risk_scorer.core.manifest import Manifest
from risk_scorer.core.pairs import Pairs
from risk_scorer.core.rules import WEIGHTS, RuleBook
from risk_scorer.core.shares import shares
from risk_scorer.core.signals import LEVELS
from training import calibrate, card, checks, measure, pair_fit, publish, reference
from training.describe import Fitted, described
from training.engines import Engine
from training.forest_export import export
from training.judging import Parts, weighed
from training.labelling.evidence import NO_EVIDENCE, evidence_of
from training.labelling.report import Labelled, label_report
from training.lineage import NO_ORIGIN, Log, Origin
from training.lookups import Lookups, address_problem
from training.marked import Budgets, Marked, lighter, marked_by, taught, with_bearable_labels
from training.refusals import TrainingRefusedError
from training.sources import EventTable
from training.stream import Progress, quiet
from training.sweep import Block, Sweep, sweep

Matrix = NDArray[np.float64]

TREES, SAMPLES, CONTAMINATION = 100, 256, 0.02
"""Source: Liu, Ting, Zhou 2008, section 5: more trees or samples change little."""
LEAST_SUCCESSES = 200
MOST_NATS = 6.0
FOREST_WEIGHT = 0.25
RULE_BOOK = RuleBook(weight=np.array(list(WEIGHTS.values())))


@dataclass(frozen=True)
class TrainReport:
    """What a training did, for people; `manifest` has all of it."""

    model_version: str
    manifest: Manifest
    public_key: Path
    worst_case: float
    files: Mapping[str, int]
    """Size of each published file in bytes."""
    labels: LabelReport | None = None


def train(
    table: EventTable,
    *,
    model_dir: Path,
    key_path: Path,
    seed: int,
    lookups: Lookups | None = None,
    until: float | None = None,
    labelled: Labelled[EventTable] | None = None,
    without: frozenset[str] = frozenset(),
    budgets: Budgets | None = None,
    engine: Engine | None = None,
    origin: Origin = NO_ORIGIN,
    progress: Progress = quiet,
) -> TrainReport:
    """Publishes a signed model of the logins before `until` (epoch seconds) into `model_dir`.

    `labelled` is what people found out about logins of this table, which no longer has the compromised ones.
    `without` names columns to declare absent; `engine` adds up, DuckDB unless another is given; `origin` is told in the
    card. The same table, seed, origin and libraries give the same bytes. Raises TrainingRefusedError (DeadFeature among
    them), WrongInputError and EngineError; the model that is there then stays.
    """
    events = table if until is None else before(table, until)
    require_enough(events)
    lookups = lookups or Lookups()
    problem = address_problem(events, lookups)
    usable = lookups if problem is None else lookups.without_networks()
    absent = measure.columns_of(events, address_problem=problem, without=without)
    evidence = NO_EVIDENCE if labelled is None else evidence_of(labelled.matched, usable)
    swept = sweep(events, usable, absent=absent, seed=seed, engine=engine, evidence=evidence, progress=progress)
    fitted = fit(swept, absent, seed=seed, budgets=budgets or Budgets())
    progress("fit", 1.0)
    told = None if labelled is None else label_report(labelled, evidence, taught(swept), fitted.label_share)
    signed: dict[str, Any] = {"seed": seed, "key_path": key_path, "model_dir": model_dir, "origin": origin}
    best_known = max(swept.histories.values(), key=lambda past: past.logins)
    report = published(events, swept, fitted, **signed, written={}, best_known=best_known, labels=told)
    progress("publish", 1.0)
    return report


def published(
    events: Log,
    swept: Sweep,
    fitted: Fitted,
    *,
    seed: int,
    key_path: Path,
    model_dir: Path,
    origin: Origin,
    written: Mapping[str, publish.Written],
    best_known: UserHistory,
    labels: LabelReport | None = None,
) -> TrainReport:
    """Signs, loads, checks and publishes a model; `written` are files of it that are made already, and big."""
    key = publish.signing_key(key_path)
    files = described(events, swept, fitted, seed=seed, written=written, origin=origin, labels=labels)
    files["manifest.sig"] = publish.signature(files[MANIFEST], key)
    with publish.mapped(written) as big:
        model = load({**files, **big}, [publish.public_bytes(key)])
    worst = checks.require_worst_case_denied(model, best_known)
    sizes = {name: len(content) for name, content in files.items()}
    sizes |= {name: each.path.stat().st_size for name, each in written.items()}
    publish.publish(files, model_dir, written)
    return TrainReport(
        model_version=model.version,
        manifest=model.manifest,
        public_key=key_path.with_suffix(".pub"),
        worst_case=worst,
        files=dict(sorted(sizes.items())),
        labels=labels,
    )


def before(table: EventTable, until: float) -> EventTable:
    """The rows of the table before a moment."""
    kept = int(np.searchsorted(table.timestamp, until, side="left"))
    columns: dict[str, Any] = {
        field.name: getattr(table, field.name)[:kept]
        for field in dataclasses.fields(table)
        if isinstance(getattr(table, field.name), np.ndarray)
    }
    return replace(table, **columns)


def require_enough(events: Log) -> None:
    """Raises TrainingRefusedError for a log with too few successes."""
    successes = int(events.success.sum())
    if successes < LEAST_SUCCESSES:
        raise TrainingRefusedError(
            "too_few_logins", f"the log has {successes} successful logins; at least {LEAST_SUCCESSES} are needed"
        )


def fit(swept: Sweep, absent: Mapping[str, str], *, seed: int, budgets: Budgets) -> Fitted:
    """Everything that is fitted, from the swept log."""
    declared = measure.declared(absent)
    far_km = measure.unknown_km(swept.fitting)
    fitting, held_out = _with_distance(swept.fitting, far_km), _with_distance(swept.held_out, far_km)
    by_block = [_features(block) for block in fitting]
    kept = checks.varying(by_block, declared.features)
    seen = np.concatenate(by_block)
    same = {name: "the same in every login of this log" for name in declared.features if name not in kept}
    columns = features.places(kept)
    isolation = _isolation_forest(seen[:, columns], seed)
    walked = export(isolation, columns)
    unusual = -forest.decision_function(walked, seen[_succeeded(fitting)])
    absent = {**absent, **declared.absent}
    surprise = calibrate.surprise(unusual, FOREST_WEIGHT)

    def with_labels(share: float) -> Marked:
        levels, learned, silent = _levels(lighter(fitting, share), lighter(held_out, share), absent, swept, seed=seed)
        hours = measure.hours(fitting, absent | silent)
        parts = Parts(forest=walked, likelihood=levels, pairs=learned, hours=hours, rules=RULE_BOOK, surprise=surprise)
        return marked_by(parts, silent, held_out, budgets)

    borne = with_bearable_labels(with_labels, swept)
    marked = borne.fit
    parts, score_map, step_up, deny = marked.parts, marked.score_map, marked.step_up, marked.deny
    absent |= marked.silent
    last = held_out[-1]
    scored = weighed(parts, last, score_map)
    calm = checks.require_quiet_logins_pass(last.signals[last.succeeded], scored.score[last.succeeded])
    checks.require_living_features(kept, parts, score_map, last, fitted=seen)
    return Fitted(
        parts=parts,
        score_map=score_map,
        features=kept,
        absent={**absent, **same},
        unknown_km=far_km,
        isolation=isolation,
        match_rates=measure.match_rates(fitting, declared.absent),
        marks={"step_up": step_up, "deny": deny},
        simulated=marked.simulated,
        measures=card.measured(parts, held_out, score_map, {"step_up": step_up, "deny": deny}),
        reference=reference.measured(parts, held_out, score_map, kept, absent),
        rows_fitted=len(seen),
        rows_held_out=step_up.logins,
        label_share=borne.share,
        compromises=borne.compromises,
        notes=(*calibrate.mark_notes(step_up, deny), *([calm] if calm else [])),
    )


def _levels(
    fitting: Sequence[Block], later: Sequence[Block], absent: Mapping[str, str], swept: Sweep, *, seed: int
) -> tuple[Likelihood, Pairs, dict[str, str]]:
    """What each level is worth, and why some are left out after all."""
    levels = measure.likelihood(fitting, swept.encoders, absent, most=MOST_NATS)
    learned = pair_fit.learn(fitting, levels, seed=seed, later=later)
    silent = pair_fit.silent(learned, levels)
    used = np.where([level in silent for level in LEVELS], 0.0, levels.used)
    reasons = {f"level:{level}": "says nothing beside the other levels of this log" for level in silent}
    return replace(levels, used=used), learned, reasons


def _features(block: Block) -> Matrix:
    shared = shares(block.signals, block.scales.total, block.scales.kinds)
    return features.compute(block.signals, shared, block.scales)


def _with_distance(blocks: Sequence[Block], far_km: float) -> tuple[Block, ...]:
    return tuple(
        replace(block, scales=Scales(total=block.scales.total, kinds=block.scales.kinds, unknown_km=far_km))
        for block in blocks
    )


def _succeeded(blocks: Sequence[Block]) -> NDArray[np.bool_]:
    return np.concatenate([block.succeeded for block in blocks])


def _isolation_forest(seen: Matrix, seed: int) -> Any:
    fitted = IsolationForest(
        n_estimators=TREES,
        max_samples=min(SAMPLES, len(seen)),
        contamination=CONTAMINATION,
        random_state=seed,
        n_jobs=1,
    )
    return fitted.fit(seen)
