"""What each feature, level and rule is worth: each taken out alone, the rest left as it is.

A term is taken out by leaving its column out of the sum, a feature of the forest by giving every login the median of
the judged span. Nothing is trained again, so what stays does not make up for what went.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.features import FEATURES
from risk_scorer.core.model import Model
from risk_scorer.core.rules import RULES
from risk_scorer.core.signals import LEVELS
from risk_scorer.core.terms import TERMS, UNUSUAL
from training.assessed import forest_nats
from training.evaluation.labels import Truth
from training.evaluation.rates import MARKS
from training.evaluation.recall import caught, threshold_at

Matrix = NDArray[np.float64]
Rows = NDArray[np.int64]

RATES = (0.01, 0.02)
MOST_LEGITIMATE = 400_000
"""Legitimate logins that ablation looks at; more would fill the memory and move no third digit."""


@dataclass(frozen=True)
class Parts:
    """What the scores of some rows are made of: (n, WIDTH) `features`, (n, terms) `evidence`, (n,) `total` nats."""

    features: Matrix
    evidence: Matrix
    total: Matrix


def looked_at(truth: Truth) -> Rows:
    """Rows that ablation needs the parts of: every attack, and legitimate logins evenly thinned."""
    legitimate = np.flatnonzero(truth.legitimate)
    step = max(1, -(-len(legitimate) // MOST_LEGITIMATE))
    return np.union1d(legitimate[::step], np.flatnonzero(truth.attacks))


def ablated(model: Model, parts: Parts, truth: Truth) -> dict[str, Any]:
    """Each declared feature, level and rule with what changes without it, and why others are absent.

    `truth` must hold exactly the rows of `parts`.
    """
    scene = _Scene(model, parts.total, truth)
    entries = [_absent(name, kind, reason) for name, kind, reason in _not_measured(model, parts)]
    skipped = {(entry["name"], entry["kind"]) for entry in entries}
    for place, name in enumerate(TERMS):
        if (name, _kind(name)) not in skipped:
            entries.append(scene.without(name, _kind(name), parts.evidence[:, place]))
    forest = parts.evidence[:, TERMS.index(UNUSUAL)]
    for name, nats in _without_features(model, parts.features):
        entries.append(scene.without(name, "feature", forest - nats))
    order = {"forest": 0, "level": 1, "rule": 2, "term": 3, "feature": 4}
    return {
        "rows": len(parts.total),
        "rates": list(RATES),
        "macro": dict(zip(("at_1", "at_2"), scene.macro, strict=True)),
        "entries": sorted(entries, key=lambda entry: order[entry["kind"]]),
    }


class _Scene:
    """The judged rows as they are, to compare with what they would be."""

    def __init__(self, model: Model, total: Matrix, truth: Truth) -> None:
        self._total, self._truth = total, truth
        # the scale is strictly monotone: its marks are marks on the evidence, and ranks are the same on both
        self._marks = np.interp(list(MARKS.values()), model.score_map.score, model.score_map.evidence)
        self._decisions = self._decided(total)
        self.macro = self._macro(total)

    def _decided(self, total: Matrix) -> NDArray[np.int64]:
        """0 let in, 1 asked for more, 2 refused."""
        decisions: NDArray[np.int64] = np.searchsorted(self._marks, total, side="right")
        return decisions

    def _macro(self, total: Matrix) -> list[float]:
        legitimate = total[self._truth.legitimate]
        families = {name: total[rows] for name, rows in self._truth.families.items()}
        return [caught(families, threshold_at(legitimate, rate))["macro"] for rate in RATES]

    def without(self, name: str, kind: str, nats: Matrix) -> dict[str, Any]:
        """What changes when these nats are taken away from every row."""
        total = self._total - nats
        changes = [after - before for after, before in zip(self._macro(total), self.macro, strict=True)]
        moved = self._decided(total) != self._decisions
        return {
            "name": name,
            "kind": kind,
            "status": "measured",
            "reason": None,
            "change_at_1": changes[0],
            "change_at_2": changes[1],
            "moved": int(moved.sum()),
            "moved_share": float(moved.mean()),
            "moved_attacks": int((moved & self._truth.attacks).sum()),
            "moves_nothing": not moved.any(),
        }


def _kind(term: str) -> str:
    return "forest" if term == UNUSUAL else "level" if term in LEVELS else "rule" if term in RULES else "term"


def _not_measured(model: Model, parts: Parts) -> Iterator[tuple[str, str, str]]:
    """Name, kind and reason of what the model declares absent; a term that speaks all the same is measured."""
    for name in FEATURES:
        if name not in model.features:
            yield name, "feature", model.absent.get(name, "not declared by the model")
    for place, name in enumerate(TERMS):
        reasons = [reason for key, reason in model.absent.items() if key == name or key.endswith(f":{name}")]
        if reasons and not parts.evidence[:, place].any():
            yield name, _kind(name), reasons[0]


def _absent(name: str, kind: str, reason: str) -> dict[str, Any]:
    nothing = dict.fromkeys(("change_at_1", "change_at_2", "moved", "moved_share", "moved_attacks", "moves_nothing"))
    return {"name": name, "kind": kind, "status": "absent", "reason": reason, **nothing}


def _without_features(model: Model, features: Matrix) -> Iterator[tuple[str, Matrix]]:
    """Each feature that the forest has, with the nats it would give were all logins alike in that feature."""
    for name in model.features:
        place = FEATURES.index(name)
        kept = features[:, place].copy()
        features[:, place] = np.median(kept)
        nats = forest_nats(model, features)
        features[:, place] = kept
        yield name, nats
