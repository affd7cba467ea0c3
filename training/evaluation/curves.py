"""Curves over all thresholds: ROC, precision and recall, what a score is worth, and how scores are spread."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.calibration import ScoreMap
from training.calibrate import QUIET_KNOTS
from training.evaluation.labels import Truth
from training.evaluation.rates import MARKS, clopper_pearson, share

Vector = NDArray[np.float64]
Curve = tuple[Vector, Vector]

FALSE_POSITIVE_GRID = np.concatenate([[0.0], np.logspace(-4, 0, 121)])
RECALL_GRID = np.linspace(0.0, 1.0, 101)
RELIABILITY_EDGES = np.linspace(0.0, 100.0, 21)
HISTOGRAM_EDGES = np.linspace(0.0, 100.0, 51)


def roc(legitimate: Vector, attacks: Vector) -> Curve:
    """False-positive rate and recall at every threshold, from nothing caught to everything; (0, 0) comes first."""
    found, wrong = _counted(legitimate, attacks)
    return np.concatenate([[0.0], wrong / len(legitimate)]), np.concatenate([[0.0], found / len(attacks)])


def precision_recall(legitimate: Vector, attacks: Vector) -> Curve:
    """Precision and recall at every threshold that catches anything, from the highest score down."""
    found, wrong = _counted(legitimate, attacks)
    return found / (found + wrong), found / len(attacks)


def _counted(legitimate: Vector, attacks: Vector) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Attacks and legitimate logins at or above each distinct score, highest first."""
    levels = np.unique(np.concatenate([legitimate, attacks]))[::-1]
    found = len(attacks) - np.searchsorted(np.sort(attacks), levels, side="left")
    wrong = len(legitimate) - np.searchsorted(np.sort(legitimate), levels, side="left")
    return found, wrong


def area(curve: Curve) -> float:
    """Area under a ROC curve: the chance that an attack scores above a legitimate login, ties counting half."""
    return float(np.trapezoid(curve[1], curve[0]))


def average_precision(curve: Curve) -> float:
    """Precision averaged over the recall gained at each threshold."""
    precision, recall = curve
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def roc_drawn(legitimate: Vector, attacks: Vector) -> dict[str, Any]:
    """The ROC curve on a grid that is fine where false positives are few, with its area."""
    curve = roc(legitimate, attacks)
    at = np.searchsorted(curve[0], FALSE_POSITIVE_GRID, side="right") - 1
    return {
        "false_positive_rate": FALSE_POSITIVE_GRID.tolist(),
        "recall": curve[1][at].tolist(),
        "area": area(curve),
    }


def precision_recall_drawn(legitimate: Vector, attacks: Vector) -> dict[str, Any]:
    """Precision at each hundredth of recall, with the average precision and what guessing would reach."""
    curve = precision_recall(legitimate, attacks)
    at = np.minimum(np.searchsorted(curve[1], RECALL_GRID, side="left"), len(curve[1]) - 1)
    return {
        "recall": RECALL_GRID.tolist(),
        "precision": curve[0][at].tolist(),
        "average_precision": average_precision(curve),
        "guessing": len(attacks) / (len(attacks) + len(legitimate)),
    }


def by_family(truth: Truth, score: Vector) -> dict[str, Any]:
    """Both curves of each family against all legitimate logins."""
    legitimate = score[truth.legitimate]
    return {
        name: {
            "roc": roc_drawn(legitimate, score[rows]),
            "precision_recall": precision_recall_drawn(legitimate, score[rows]),
        }
        for name, rows in truth.families.items()
    }


def macro_drawn(truth: Truth, score: Vector) -> dict[str, Any]:
    """Mean recall of the families at each false-positive rate."""
    legitimate = score[truth.legitimate]
    curves = [roc_drawn(legitimate, score[rows]) for rows in truth.families.values()]
    return {
        "false_positive_rate": FALSE_POSITIVE_GRID.tolist(),
        "recall": np.mean([curve["recall"] for curve in curves], axis=0).tolist(),
        "area": float(np.mean([curve["area"] for curve in curves])),
    }


def reliability(truth: Truth, score: Vector) -> list[dict[str, Any]]:
    """In each bin of the score the share of attacks among the labelled rows; bins without a row are left out."""
    attacks, legitimate = truth.attacks, truth.legitimate
    told = []
    for low, high in itertools.pairwise(RELIABILITY_EDGES.tolist()):
        inside = (score >= low) & ((score < high) | (high == 100.0))
        hostile, among = int((attacks & inside).sum()), int(((attacks | legitimate) & inside).sum())
        if among:
            limits = clopper_pearson(hostile, among)
            told.append(
                {"from": low, "to": high, "attacks": hostile, "among": among, "share": hostile / among}
                | {"low": limits[0], "high": limits[1]}
            )
    return told


def promised(truth: Truth, score: Vector, score_map: ScoreMap, budgets: Mapping[str, float]) -> list[dict[str, Any]]:
    """At each fixed point of the scale: the share of legitimate logins that training expected there or above it.

    Beside it the share that there is. At the two marks the expectation is a budget, so less is as promised.
    """
    known = set(score_map.score.tolist())
    points = {at: (1.0 - below, False) for below, at in QUIET_KNOTS if at in known}
    points |= {at: (budgets[mark], True) for mark, at in MARKS.items() if mark in budgets}
    legitimate = score[truth.legitimate]
    return [
        {"score": at, "expected": expected, "is_budget": is_budget, **share(legitimate >= at)}
        for at, (expected, is_budget) in sorted(points.items())
    ]


def histograms(truth: Truth, score: Vector) -> dict[str, Any]:
    """How many legitimate logins and how many attacks of each family score in each bin."""
    kinds = {"legitimate": truth.legitimate, **truth.families}
    return {
        "edges": HISTOGRAM_EDGES.tolist(),
        "counts": {name: np.histogram(score[rows], HISTOGRAM_EDGES)[0].tolist() for name, rows in kinds.items()},
    }
