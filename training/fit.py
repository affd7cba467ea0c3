"""Trains a model on a log: sweep, measure, fit, calibrate, check, publish. No label is read, nothing later is seen."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from risk_scorer.contract.assessment import MEDIUM_FROM
from risk_scorer.core import features, forest
from risk_scorer.core.artefact import MANIFEST, load
from risk_scorer.core.calibration import ScoreMap
from risk_scorer.core.encoders import Encoders
from risk_scorer.core.features import Scales
from risk_scorer.core.history import UserHistory
from risk_scorer.core.likelihood import Likelihood
from risk_scorer.core.manifest import Manifest
from risk_scorer.core.pairs import Pairs
from risk_scorer.core.rules import WEIGHTS, RuleBook
from risk_scorer.core.shares import shares
from risk_scorer.core.signals import LEVELS
from training import calibrate, card, checks, measure, pair_fit, publish, reference
from training.attackers import KINDS
from training.describe import Fitted, described
from training.engines import Engine
from training.forest_export import export
from training.judging import Parts, evidence, weighed, weighed_signals
from training.lineage import NO_ORIGIN, Log, Origin
from training.lookups import Lookups, address_problem
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
class Budgets:
    """The share of legitimate logins that may be asked for more, and that may be denied."""

    step_up: float = 0.02
    deny: float = 0.001


@dataclass(frozen=True)
class TrainReport:
    """What a training did, for people; `manifest` has all of it."""

    model_version: str
    manifest: Manifest
    public_key: Path
    worst_case: float
    files: Mapping[str, int]
    """Size of each published file in bytes."""


def train(
    table: EventTable,
    *,
    model_dir: Path,
    key_path: Path,
    seed: int,
    lookups: Lookups | None = None,
    until: float | None = None,
    without: frozenset[str] = frozenset(),
    budgets: Budgets | None = None,
    engine: Engine | None = None,
    origin: Origin = NO_ORIGIN,
    progress: Progress = quiet,
) -> TrainReport:
    """Publishes a signed model of the logins before `until` (epoch seconds) into `model_dir`.

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
    swept = sweep(events, usable, absent=absent, seed=seed, engine=engine, progress=progress)
    fitted = fit(swept, absent, seed=seed, budgets=budgets or Budgets())
    progress("fit", 1.0)
    signed: dict[str, Any] = {"seed": seed, "key_path": key_path, "model_dir": model_dir, "origin": origin}
    best_known = max(swept.histories.values(), key=lambda past: past.logins)
    report = published(events, swept, fitted, **signed, written={}, best_known=best_known)
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
) -> TrainReport:
    """Signs, loads, checks and publishes a model; `written` are files of it that are made already, and big."""
    key = publish.signing_key(key_path)
    files = described(events, swept, fitted, seed=seed, written=written, origin=origin)
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
    levels, learned, silent = _levels(fitting, swept.encoders, absent, seed=seed)
    absent |= silent
    parts = Parts(
        forest=walked,
        likelihood=levels,
        pairs=learned,
        hours=measure.hours(fitting, absent),
        rules=RULE_BOOK,
        surprise=calibrate.surprise(unusual, FOREST_WEIGHT),
    )
    nats = np.concatenate([evidence(parts, block)[block.succeeded] for block in held_out])
    step_up, deny = calibrate.mark(nats, budgets.step_up), calibrate.mark(nats, budgets.deny)
    score_map = calibrate.score_map(nats, step_up, deny)
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
        simulated=_simulated(parts, held_out, score_map),
        measures=card.measured(parts, held_out, score_map, {"step_up": step_up, "deny": deny}),
        reference=reference.measured(parts, held_out, score_map, kept, absent),
        rows_fitted=len(seen),
        rows_held_out=len(nats),
        notes=(*calibrate.mark_notes(step_up, deny), *([calm] if calm else [])),
    )


def _levels(
    fitting: Sequence[Block], encoders: Encoders, absent: Mapping[str, str], *, seed: int
) -> tuple[Likelihood, Pairs, dict[str, str]]:
    """What each level is worth, and why some are left out after all."""
    levels = measure.likelihood(fitting, encoders, absent, most=MOST_NATS)
    learned = pair_fit.learn(fitting, levels, seed=seed)
    silent = pair_fit.silent(learned, levels)
    used = np.where([level in silent for level in LEVELS], 0.0, levels.used)
    reasons = {f"level:{level}": "says nothing beside the other levels of this log" for level in silent}
    return replace(levels, used=used), learned, reasons


def _features(block: Block) -> Matrix:
    shared = shares(block.signals, block.scales.total, block.scales.kinds)
    return features.compute(block.signals, shared, block.scales)


def _simulated(parts: Parts, held_out: Sequence[Block], score_map: ScoreMap) -> dict[str, float]:
    """The share of the held-out strangers that reach the mark of 60, by kind."""
    reached = np.concatenate(
        [weighed_signals(parts, block, block.strangers, score_map).score >= MEDIUM_FROM for block in held_out]
    )
    kinds = np.concatenate([block.stranger_kinds for block in held_out])
    return {name: float(reached[kinds == kind].mean()) for kind, name in enumerate(KINDS) if (kinds == kind).any()}


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
