"""Which share of each family of attacks is caught at a false-positive rate or at a mark, with bootstrap intervals.

One threshold for all families; a score equal to it is a miss. Macro is the mean over families.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluate import FALSE_POSITIVE_RATES, INTERVAL
from training.evaluation.labels import Truth
from training.evaluation.rates import MARKS, by_history, clopper_pearson

Vector = NDArray[np.float64]

RESAMPLES = 2000
COLD_RATE = 0.02
"""The false positives that people of one history may have among themselves when their attacks are counted."""


def threshold_at(legitimate: Vector, rate: float) -> float:
    """The score that this share of legitimate logins lies above, at most."""
    ranked = np.sort(legitimate)[::-1]
    return float(ranked[min(int(rate * len(ranked)), len(ranked) - 1)])


def caught(families: Mapping[str, Vector], threshold: float) -> dict[str, float]:
    """The share of each family above the threshold, and their mean as `macro`."""
    found = {name: float((scores > threshold).mean()) for name, scores in families.items()}
    return found | {"macro": float(np.mean(list(found.values())))}


def at_rates(truth: Truth, score: Vector, chance: np.random.Generator) -> list[dict[str, Any]]:
    """Recall at each false-positive rate of the protocol."""
    families = _scores(truth, score)
    return [_at_rate(score[truth.legitimate], families, rate, chance) for rate in FALSE_POSITIVE_RATES]


def at_marks(truth: Truth, score: Vector, chance: np.random.Generator) -> list[dict[str, Any]]:
    """Recall at the two marks, where reaching the mark is enough."""
    families, told = _scores(truth, score), []
    for mark, reached in MARKS.items():
        just_below = float(np.nextafter(reached, -np.inf))
        thresholds = np.full(RESAMPLES, just_below)
        told.append(
            {
                "mark": mark,
                "score": reached,
                "false_positives": float((score[truth.legitimate] >= reached).mean()),
                "families": _with_intervals(families, just_below, thresholds, chance),
            }
        )
    return told


def by_people(truth: Truth, score: Vector, chance: np.random.Generator) -> dict[str, Any]:
    """The same for cold, thin and warm accounts apart, each with its own threshold at 2 % of its own logins."""
    told: dict[str, Any] = {}
    for name, rows in by_history(truth.history).items():
        legitimate = score[truth.legitimate & rows]
        families = {family: score[found & rows] for family, found in truth.families.items() if (found & rows).any()}
        told[name] = {
            "legitimate": len(legitimate),
            "attacks": {family: len(scores) for family, scores in families.items()},
            "recall": _at_rate(legitimate, families, COLD_RATE, chance) if len(legitimate) and families else None,
        }
    return told


def _scores(truth: Truth, score: Vector) -> dict[str, Vector]:
    return {name: score[rows] for name, rows in truth.families.items()}


def _at_rate(
    legitimate: Vector, families: Mapping[str, Vector], rate: float, chance: np.random.Generator
) -> dict[str, Any]:
    threshold = threshold_at(legitimate, rate)
    return {
        "rate": rate,
        "threshold": threshold,
        "false_positives": float((legitimate > threshold).mean()),
        "families": _with_intervals(families, threshold, resampled_thresholds(legitimate, rate, chance), chance),
    }


def resampled_thresholds(legitimate: Vector, rate: float, chance: np.random.Generator) -> Vector:
    """(RESAMPLES,) thresholds of as many bootstrap samples of the legitimate scores, without drawing them.

    The k-th largest of a sample with replacement is the original of a rank that follows a beta distribution.
    Source: David and Nagaraja 2003, "Order Statistics", section 2.1.
    """
    ranked = np.sort(legitimate)[::-1]
    among = len(ranked)
    place = min(int(rate * among), among - 1)
    ranks = (chance.beta(place + 1, among - place, RESAMPLES) * among).astype(np.int64)
    drawn: Vector = ranked[np.minimum(ranks, among - 1)]
    return drawn


def _with_intervals(
    families: Mapping[str, Vector], threshold: float, thresholds: Vector, chance: np.random.Generator
) -> dict[str, dict[str, float]]:
    """Point estimates at `threshold`, intervals from resampling the attacks against resampled `thresholds`."""
    point = caught(families, threshold)
    draws = {}
    for name, scores in families.items():
        above = 1.0 - np.searchsorted(np.sort(scores), thresholds, side="right") / len(scores)
        draws[name] = chance.binomial(len(scores), above) / len(scores)
    draws["macro"] = np.mean(list(draws.values()), axis=0)
    limits = {name: tuple(np.percentile(drawn, INTERVAL).tolist()) for name, drawn in draws.items()}
    for name, scores in families.items():
        if point[name] in (0.0, 1.0):  # resampling all or nothing gives all or nothing, as if nothing were uncertain
            limits[name] = clopper_pearson(int(point[name]) * len(scores), len(scores))
    return {name: {"recall": point[name], "low": limits[name][0], "high": limits[name][1]} for name in point}
