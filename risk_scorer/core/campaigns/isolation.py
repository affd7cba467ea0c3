"""A small isolation forest grown here, as the arrays that the scorer's own kernel walks.

The process that looks for campaigns has no scikit-learn, and its forest is grown anew at each look, because what is
usual among accounts is what they did in this window. Source: Liu, Ting, Zhou 2008, "Isolation Forest".
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.forest import Forest

TREES: Final = 100
SAMPLE: Final = 256
"""Both from the paper, section 4: more of either changes the ranking no more."""
DEPTH: Final = math.ceil(math.log2(SAMPLE))
AVERAGE: Final = -0.5
"""An average point's score; the kernel's answer is 0 there, and lower is more unusual."""
_Tree = tuple[list[int], list[float], list[int], list[float]]


def grown(rows: NDArray[np.float64], seed: int) -> Forest:
    """A forest over these rows, the same for the same rows and seed."""
    chance = np.random.default_rng(seed)
    values = rows.astype(np.float32)
    size = min(SAMPLE, len(values))
    feature: list[int] = []
    threshold: list[float] = []
    child: list[int] = []
    path: list[float] = []
    root = [0]
    for _ in range(TREES):
        sample = values[chance.choice(len(values), size, replace=False)]
        _grow((feature, threshold, child, path), sample, chance)
        root.append(len(feature))
    forest = Forest(
        feature=np.array(feature, np.int32),
        threshold=np.array(threshold, np.float32),
        child=np.array(child, np.int32),
        path=np.array(path),
        root=np.array(root, np.int32),
        depth=DEPTH,
        scale=average_path(size),
        offset=AVERAGE,
    )
    return forest


def _grow(tree: _Tree, sample: NDArray[np.float32], chance: np.random.Generator) -> None:
    """One tree after those that are there, level by level: a node's two children are neighbours."""
    feature, threshold, child, path = tree
    waiting = [(sample, 0)]
    at = len(feature)
    for rows, depth in waiting:  # it grows meanwhile
        split = _split(rows, chance) if depth < DEPTH and len(rows) > 1 else None
        if split is None:
            feature.append(0)
            threshold.append(math.inf)
            child.append(len(path))
            path.append(depth + average_path(len(rows)))
            continue
        column, border = split
        is_right = rows[:, column] > border
        feature.append(column)
        threshold.append(float(border))
        child.append(at + len(waiting))
        path.append(0.0)
        waiting += [(rows[~is_right], depth + 1), (rows[is_right], depth + 1)]


def _split(rows: NDArray[np.float32], chance: np.random.Generator) -> tuple[int, np.float32] | None:
    """A column that differs and a border within it, both by chance; None where all rows are alike."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    differing = np.flatnonzero(high > low)
    if not len(differing):
        return None
    column = int(differing[chance.integers(len(differing))])
    border = np.float32(chance.uniform(low[column], high[column]))
    return column, min(max(border, low[column]), np.nextafter(high[column], low[column]))


def average_path(samples: int) -> float:
    """Mean path length of an unsuccessful search in a binary tree of so many samples (equation 1 of the paper)."""
    if samples <= 2:
        return float(max(samples, 1) - 1)
    return 2.0 * (math.log(samples - 1.0) + float(np.euler_gamma)) - 2.0 * (samples - 1.0) / samples
