"""Fits the frozen maps: how rare a forest's number is, and which evidence is 60 and which is 80 of 100."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from risk_scorer.contract.assessment import HIGH_FROM, MEDIUM_FROM
from risk_scorer.core.calibration import ScoreMap, Surprise

Matrix = NDArray[np.float64]

CONFIDENCE = 0.95
TAIL_SHARE = 0.1
LEAST_GAP_NATS = 0.5
LEAST_MARGIN_NATS = 1e-6
"""Above the highest login that must stay below a mark: the next number there is would be rounded onto the mark."""
NEARLY_CERTAIN, NEARLY_CERTAIN_NATS = 95.0, 8.0
QUIET_KNOTS = ((0.005, 2.0), (0.25, 10.0), (0.5, 20.0), (0.75, 32.0), (0.9, 44.0))
"""Share of legitimate logins below → score, for the part of the scale that decides nothing."""
TAIL_SHARES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
LEAST_IN_TAIL = 10


@dataclass(frozen=True)
class Mark:
    """The evidence at which at most `budget` of legitimate logins are prompted, with 95 % confidence.

    `prompted` of `logins` held-out logins reach it, `bound` is the upper confidence limit of their share.
    `is_extrapolated` when there are too few logins to say so from counting.
    """

    budget: float
    evidence: float
    prompted: int
    logins: int
    bound: float
    is_extrapolated: bool


def upper_bound(prompted: int, logins: int) -> float:
    """One-sided 95 % upper limit of a share. Source: Clopper and Pearson 1934."""
    if prompted >= logins:
        return 1.0
    return float(stats.beta.ppf(CONFIDENCE, prompted + 1, logins - prompted))


def mark(evidence: Matrix, budget: float) -> Mark:
    """The lowest evidence that keeps the upper bound of prompted logins within the budget."""
    ranked = np.sort(evidence)[::-1]
    logins = len(ranked)
    most = _most_prompted(logins, budget)
    if most is None:
        at = extrapolated(ranked, budget)
        prompted = int((ranked >= at).sum())
        return Mark(budget, at, prompted, logins, upper_bound(prompted, logins), is_extrapolated=True)
    at = _just_above(ranked, most)
    prompted = int((ranked >= at).sum())
    return Mark(budget, at, prompted, logins, upper_bound(prompted, logins), is_extrapolated=False)


def _most_prompted(logins: int, budget: float) -> int | None:
    """How many of so many logins may be prompted; None when even none would not prove the budget."""
    low, high = -1, logins
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if upper_bound(middle, logins) <= budget else (low, middle)
    return None if low < 0 else low


def _just_above(ranked: Matrix, most: int) -> float:
    """The lowest mark that at most the `most` highest reach: between the last allowed login and the first one not."""
    first_out = float(ranked[most])
    higher = ranked[ranked > first_out]
    return (first_out + float(higher[-1])) / 2.0 if len(higher) else first_out + LEAST_MARGIN_NATS


def extrapolated(ranked: Matrix, budget: float) -> float:
    """The mark if the tail goes on falling as its last tenth does: exponentially."""
    start = float(np.quantile(ranked, 1.0 - TAIL_SHARE))
    excess = ranked[ranked > start] - start
    pace = float(excess.mean()) if len(excess) else 1.0
    return start + max(pace, 0.1) * math.log(TAIL_SHARE / budget)


def surprise(unusual: Matrix, weight: float) -> Surprise:
    """How rare it is among these logins that the forest finds one at least as unusual."""
    shares = [share for share in TAIL_SHARES if share * len(unusual) >= LEAST_IN_TAIL] or [1.0, 0.5]
    knots = np.quantile(unusual, [1.0 - share for share in shares])
    nats = -np.log(np.array(shares))
    rising = np.concatenate([[True], np.diff(knots) > 1e-9])
    knots, nats = knots[rising], nats[rising]
    if len(knots) < 2:
        knots, nats = np.array([knots[0], knots[0] + 0.1]), np.array([nats[0], nats[0] + 1.0])
    return Surprise(unusual=knots, nats=nats, weight=weight)


def score_map(evidence: Matrix, step_up: Mark, deny: Mark) -> ScoreMap:
    """60 and 80 at their marks, quiet logins spread out below, ever more evidence nearing 100 above."""
    knots = [(float(np.quantile(evidence, share)), score) for share, score in QUIET_KNOTS]
    high = max(deny.evidence, step_up.evidence + LEAST_GAP_NATS)
    knots = [knot for knot in knots if knot[0] < step_up.evidence - 1e-6]
    knots += [(step_up.evidence, MEDIUM_FROM), (high, HIGH_FROM), (high + NEARLY_CERTAIN_NATS, NEARLY_CERTAIN)]
    rising = [knots[0]]
    for knot in knots[1:]:
        if knot[0] > rising[-1][0] + 1e-9:
            rising.append(knot)
        else:
            rising[-1] = knot
    return ScoreMap(evidence=np.array([at for at, _ in rising]), score=np.array([score for _, score in rising]))


def mark_notes(*marks: Mark) -> list[str]:
    """What a person should know about marks that are read off a tail and not counted."""
    return [
        f"{mark.logins} held-out logins are too few to count {mark.budget:.2%}: the mark is read off the falling tail, "
        f"the upper bound of prompted logins is {mark.bound:.2%}"
        for mark in marks
        if mark.is_extrapolated
    ]
