"""Shares with their confidence limits, and people grouped by how much of them is known."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from risk_scorer.contract.assessment import HIGH_FROM, MEDIUM_FROM
from training.evaluate import THIN, WARM
from training.evaluation.labels import Truth

Flags = NDArray[np.bool_]
Vector = NDArray[np.float64]

CONFIDENCE = 0.95
MARKS: Mapping[str, float] = {"step_up": MEDIUM_FROM, "deny": HIGH_FROM}
"""The scores from which a login is asked for more, and from which it is refused."""


def clopper_pearson(count: int, among: int) -> tuple[float, float]:
    """Two-sided 95 % limits of a share; (0, 1) among none. Source: Clopper and Pearson 1934."""
    tail = (1.0 - CONFIDENCE) / 2.0
    low = float(stats.beta.ppf(tail, count, among - count + 1)) if count > 0 else 0.0
    high = float(stats.beta.ppf(1.0 - tail, count + 1, among - count)) if count < among else 1.0
    return low, high


def share(flags: Flags) -> dict[str, Any]:
    """How many of these rows are flagged, as a count and as a share with its limits (None among none)."""
    count, among = int(flags.sum()), len(flags)
    low, high = clopper_pearson(count, among)
    return {"count": count, "among": among, "share": count / among if among else None, "low": low, "high": high}


def by_history(history: NDArray[np.int64]) -> dict[str, Flags]:
    """Rows by how many logins of the person had been learned: none is cold, one to four thin, five and more warm."""
    return {
        "cold": history < THIN,
        "thin": (history >= THIN) & (history < WARM),
        "warm": history >= WARM,
    }


def alarms(truth: Truth, score: Vector, budgets: Mapping[str, float]) -> dict[str, Any]:
    """For all people and by their history: the legitimate logins that reach each mark, held against its budget."""
    groups = {"all": np.ones(len(score), bool), **by_history(truth.history)}
    return {
        name: {
            mark: {**share(score[truth.legitimate & rows] >= reached), "budget": budgets.get(mark)}
            for mark, reached in MARKS.items()
        }
        for name, rows in groups.items()
    }
