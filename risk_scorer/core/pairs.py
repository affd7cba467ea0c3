"""What a login says about whose it is, learned from people's own logins and other people's, without any label.

Each training login stands beside logins of strangers put in its place (`training.attackers`); boosted trees learn the
log of how much likelier a stranger is. Every tree rises with each number that gets stranger, and every leaf asks about
one level alone beside how long the person is known and was away, so the answer is a sum with one part for each level.
Source: Hastie and Tibshirani 1986, "Generalized Additive Models"; Friedman 2001 for boosting.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.signals import LEVELS, PLACE

Matrix = NDArray[np.float64]

PAUSE = "pause"
PARTS = (*LEVELS, PAUSE)
"""What an answer is the sum of; `pause` is what the length of the history and of the absence say by themselves."""
CONTEXT = ("logins", "gap")
INPUTS = (
    *CONTEXT,
    *(f"ratio_{level}" for level in LEVELS),
    *(f"share_{level}" for level in LEVELS),
    *(f"age_{level}" for level in LEVELS),
)
RISES = tuple({"ratio": 1, "share": -1, "age": 1}.get(name.partition("_")[0], 0) for name in INPUTS)
"""In which direction each input is stranger: 1 when larger, -1 when smaller, 0 for neither."""
ENOUGH_LOGINS = 50.0
NEVER = 30.0  # in logs of a second: longer ago than anything
ROWS_A_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Pairs:
    """Arrays over all nodes of all trees, laid out as in `core.forest.Forest`.

    `value` (nats) is what a leaf adds to its `part` of `PARTS`, `baseline` is added to the pause; `usual` (13,) is
    what each part says of the ordinary login of a person with a history.
    """

    feature: NDArray[np.int32]
    threshold: Matrix
    child: NDArray[np.int32]
    value: Matrix
    part: NDArray[np.int32]
    root: NDArray[np.int32]
    depth: int
    baseline: float
    usual: Matrix


_AT = np.array([PLACE["logins"], PLACE["gap"]])
_SEEN = np.array([PLACE[f"seen_{name}"] for name in LEVELS])
_AGE = np.array([PLACE[f"age_{name}"] for name in LEVELS])
# Given to the kernels as arguments: see `features`.


def inputs(signals: Matrix, ratios: Matrix, used: Matrix) -> Matrix:
    """(n, 38) `INPUTS` of each login; all zeros for a person without history and for a level not in the log."""
    out = np.zeros((len(signals), len(INPUTS)))
    _fill(signals, ratios, used, (ENOUGH_LOGINS, NEVER), _AT, _SEEN, _AGE, out)
    return out


def parts(pairs: Pairs, given: Matrix) -> Matrix:
    """(n, 13) nats for each of `PARTS`: positive says a stranger. All 0 for a person without history."""
    out = np.zeros((len(given), len(PARTS)))
    _walk(
        given,
        pairs.feature.view(np.uint32),
        pairs.threshold,
        pairs.child.view(np.uint32),
        pairs.value,
        pairs.part.view(np.uint32),
        pairs.root.view(np.uint32),
        pairs.depth,
        pairs.baseline,
        out,
    )
    return out


@njit(cache=True, nogil=True)
def _fill(signals: Any, ratios: Any, used: Any, numbers: Any, at: Any, seen: Any, age: Any, out: Any) -> None:
    enough, never = numbers
    levels = ratios.shape[1]
    for row in range(signals.shape[0]):
        logins, gap = signals[row, at[0]], signals[row, at[1]]
        if logins == 0.0:
            continue
        out[row, 0] = math.log1p(min(logins, enough))
        out[row, 1] = 0.0 if math.isnan(gap) else math.log1p(max(gap, 0.0))
        for level in range(levels):
            if used[level] == 0.0:
                continue
            ago = signals[row, age[level]]
            out[row, 2 + level] = ratios[row, level]
            out[row, 2 + levels + level] = min(1.0, signals[row, seen[level]] / logins)
            out[row, 2 + 2 * levels + level] = never if math.isnan(ago) else math.log1p(max(ago, 0.0))


@njit(cache=True, nogil=True)
def _walk(
    given: Any,
    feature: Any,
    threshold: Any,
    child: Any,
    value: Any,
    part: Any,
    root: Any,
    depth: int,
    baseline: float,
    out: Any,
) -> None:
    n_rows = given.shape[0]
    n_trees = root.shape[0] - 1
    pause = out.shape[1] - 1
    node = np.empty(min(n_rows, ROWS_A_BLOCK), np.uint32)
    for start in range(0, n_rows, ROWS_A_BLOCK):
        rows = min(ROWS_A_BLOCK, n_rows - start)
        for tree in range(n_trees):
            for row in range(rows):
                node[row] = root[tree]
            for _ in range(depth):
                for row in range(rows):
                    at = node[row]
                    node[row] = child[at] + np.uint32(given[start + row, feature[at]] > threshold[at])
            for row in range(rows):
                out[start + row, part[node[row]]] += value[node[row]]
        for row in range(start, start + rows):
            if given[row, 0] == 0.0:  # nobody to compare with
                out[row, :] = 0.0
            else:
                out[row, pause] += baseline
