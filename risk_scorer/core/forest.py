"""An isolation forest as plain arrays, walked by us: the same number as scikit-learn's decision_function.

The two children of a node are neighbours and a leaf is its own child, so a walk is a fixed number of steps without
branches. Source: Liu, Ting, Zhou 2008, "Isolation Forest".
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

ROWS_A_BLOCK = 256  # a tree and 256 rows of 26 features stay in the nearest caches


@dataclass(frozen=True, slots=True)
class Forest:
    """Arrays over all nodes of all trees; `root` has one entry a tree and one past the end.

    `feature` int32, `threshold` float32 (larger values go right), `child` int32 (left; right is the next node; a leaf
    points at itself and has an infinite threshold), `path` float64 (how many splits isolate what ends in this leaf),
    `depth` the longest walk. `scale` is the expected path length of a tree, `offset` scikit-learn's `offset_`.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    child: NDArray[np.int32]
    path: NDArray[np.float64]
    root: NDArray[np.int32]
    depth: int
    scale: float
    offset: float


def decision_function(forest: Forest, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Low is unusual, 0 is scikit-learn's outlier mark; (n,). Features are rounded to float32 as scikit-learn does."""
    out = np.empty(len(features))
    _walk(
        features,
        forest.feature.view(np.uint32),  # unsigned, so that no step asks whether an index counts from the end
        forest.threshold,
        forest.child.view(np.uint32),
        forest.path,
        forest.root.view(np.uint32),
        forest.depth,
        forest.scale,
        forest.offset,
        out,
    )
    return out


@njit(cache=True, nogil=True)
def _walk(
    features: Any,
    feature: Any,
    threshold: Any,
    child: Any,
    path: Any,
    root: Any,
    depth: int,
    scale: float,
    offset: float,
    out: Any,
) -> None:
    n_rows, n_features = features.shape
    n_trees = root.shape[0] - 1
    most = min(n_rows, ROWS_A_BLOCK)
    block = np.empty(most * n_features, np.float32)
    start_of = np.arange(0, most * n_features, n_features).astype(np.uint32)
    node = np.empty(most, np.uint32)
    total = np.empty(most)
    for start in range(0, n_rows, ROWS_A_BLOCK):
        rows = min(ROWS_A_BLOCK, n_rows - start)
        for row in range(rows):
            total[row] = 0.0
            for column in range(n_features):
                block[row * n_features + column] = np.float32(features[start + row, column])
        for tree in range(n_trees):
            for row in range(rows):
                node[row] = root[tree]
            for _ in range(depth):
                for row in range(rows):  # independent walks side by side hide each other's waiting for memory
                    at = node[row]
                    node[row] = child[at] + np.uint32(block[start_of[row] + feature[at]] > threshold[at])
            for row in range(rows):
                total[row] += path[node[row]]
        for row in range(rows):
            out[start + row] = -(2.0 ** (-total[row] / (n_trees * scale))) - offset
