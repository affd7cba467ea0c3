"""Frozen maps, fitted at training: the forest's number → nats, evidence → 0-100. Nothing is fitted here."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

BEST, WORST = 0.0, 100.0


@dataclass(frozen=True, slots=True)
class Surprise:
    """How rarely a training login was as unusual: knots of -decision_function (rising) and their -log tail share.

    `weight` says how much of it counts as evidence: the forest sees what the other terms see, so it is not new in full.
    """

    unusual: Matrix
    nats: Matrix
    weight: float


@dataclass(frozen=True, slots=True)
class ScoreMap:
    """Knots of evidence (nats, rising) and their score (rising, inside 0-100).

    Linear between knots; outside them the score nears 0 and 100 with the slope of the last piece and never arrives,
    so more evidence is always a higher score.
    """

    evidence: Matrix
    score: Matrix


@dataclass(frozen=True, slots=True)
class Weighed:
    """`evidence` (n, terms) nats, `total` (n,) their sum, `score` (n,), `points` (n, terms) hundredths of the score.

    A term's points are its part of what the terms add to the score of a login in which all is familiar.
    """

    evidence: Matrix
    total: Matrix
    score: Matrix
    points: Matrix


def weigh(
    decision: Matrix,
    likelihood: Matrix,
    familiar: Matrix,
    matches: Matrix,
    weight: Matrix,
    *,
    surprise: Surprise,
    score_map: ScoreMap,
) -> Weighed:
    """Adds evidence up, one column for the forest, then likelihood, then rules, and puts it on the scale.

    Points compare each likelihood term with `familiar`, what it would be had the value been the person's own, and the
    other terms with nothing found.
    """
    rows, terms = len(decision), 1 + likelihood.shape[1] + matches.shape[1]
    weighed = Weighed(np.empty((rows, terms)), np.empty(rows), np.empty(rows), np.empty((rows, terms)))
    _weigh(
        decision,
        likelihood,
        familiar,
        matches,
        weight,
        surprise.unusual,
        surprise.nats,
        surprise.weight,
        score_map.evidence,
        score_map.score,
        weighed.evidence,
        weighed.total,
        weighed.score,
        weighed.points,
    )
    return weighed


@njit(cache=True, nogil=True)
def _piecewise(knots: Any, values: Any, at: float) -> float:
    """Linear between knots, the first value before them, the last slope after them."""
    last = knots.shape[0] - 1
    if at <= knots[0]:
        return float(values[0])
    if at >= knots[last]:
        slope = (values[last] - values[last - 1]) / (knots[last] - knots[last - 1])
        return float(values[last] + slope * (at - knots[last]))
    above = np.searchsorted(knots, at)
    share = (at - knots[above - 1]) / (knots[above] - knots[above - 1])
    return float(values[above - 1] + share * (values[above] - values[above - 1]))


@njit(cache=True, nogil=True)
def _score(knots: Any, values: Any, at: float) -> float:
    last = knots.shape[0] - 1
    if at < knots[0]:
        slope = (values[1] - values[0]) / (knots[1] - knots[0])
        return float(values[0] * np.exp(slope / values[0] * (at - knots[0])))
    if at > knots[last]:
        slope = (values[last] - values[last - 1]) / (knots[last] - knots[last - 1])
        room = WORST - values[last]
        return float(WORST - room * np.exp(-slope / room * (at - knots[last])))
    return _piecewise(knots, values, at)


@njit(cache=True, nogil=True)
def _weigh(
    decision: Any,
    likelihood: Any,
    familiar: Any,
    matches: Any,
    weight: Any,
    unusual: Any,
    nats: Any,
    forest_weight: float,
    knots: Any,
    values: Any,
    evidence: Any,
    total: Any,
    score: Any,
    points: Any,
) -> None:
    levels = likelihood.shape[1]
    for row in range(decision.shape[0]):
        evidence[row, 0] = forest_weight * _piecewise(unusual, nats, -decision[row])
        for level in range(levels):
            evidence[row, 1 + level] = likelihood[row, level]
            points[row, 1 + level] = max(0.0, likelihood[row, level] - familiar[row, level])
        for rule in range(matches.shape[1]):
            evidence[row, 1 + levels + rule] = weight[rule] * matches[row, rule]
            points[row, 1 + levels + rule] = evidence[row, 1 + levels + rule]
        points[row, 0] = max(0.0, evidence[row, 0])
        added, against = 0.0, 0.0
        for term in range(evidence.shape[1]):
            added += evidence[row, term]
            against += points[row, term]
        total[row] = added
        score[row] = _score(knots, values, added)
        gained = score[row] - _score(knots, values, added - against)
        for term in range(evidence.shape[1]):
            part = points[row, term] / against if against > 0.0 else 0.0
            points[row, term] = np.floor(100.0 * gained * part)
