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
    """`evidence` (n, terms) nats in the order of `terms.TERMS`, `total` (n,) their sum, `score` (n,).

    `points` (n, terms) are hundredths of the score: a term's part of what the terms add to the score of a login in
    which all is familiar.
    """

    evidence: Matrix
    total: Matrix
    score: Matrix
    points: Matrix


def surprises(decision: Matrix, surprise: Surprise) -> Matrix:
    """(n,) nats: how rarely a training login was as unusual as the forest's number says, at its weight."""
    out = np.empty(len(decision))
    _surprises(decision, surprise.unusual, surprise.nats, surprise.weight, out)
    return out


def weigh(evidence: Matrix, familiar: Matrix, score_map: ScoreMap) -> Weighed:
    """Adds each row's evidence up and puts it on the scale; `familiar` is what each term is when all is usual."""
    rows, terms = evidence.shape
    weighed = Weighed(evidence, np.empty(rows), np.empty(rows), np.empty((rows, terms)))
    _weigh(evidence, familiar, score_map.evidence, score_map.score, weighed.total, weighed.score, weighed.points)
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
def _surprises(decision: Any, unusual: Any, nats: Any, weight: float, out: Any) -> None:
    for row in range(decision.shape[0]):
        out[row] = weight * _piecewise(unusual, nats, -decision[row])


@njit(cache=True, nogil=True)
def _weigh(evidence: Any, familiar: Any, knots: Any, values: Any, total: Any, score: Any, points: Any) -> None:
    for row in range(evidence.shape[0]):
        added, against = 0.0, 0.0
        for term in range(evidence.shape[1]):
            added += evidence[row, term]
            points[row, term] = max(0.0, evidence[row, term] - familiar[row, term])
            against += points[row, term]
        total[row] = added
        score[row] = _score(knots, values, added)
        gained = score[row] - _score(knots, values, added - against)
        for term in range(evidence.shape[1]):
            part = points[row, term] / against if against > 0.0 else 0.0
            points[row, term] = np.floor(100.0 * gained * part)
