"""From a fitted scikit-learn IsolationForest to the arrays that the scorer walks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.forest import Forest
from training.tree_layout import breadth_first

LEAF = -1


def export(fitted: Any, columns: NDArray[np.int64]) -> Forest:
    """`fitted`'s trees, with its feature j read from column `columns[j]` of the scorer's feature matrix."""
    trees = [_tree(estimator.tree_, columns) for estimator in fitted.estimators_]
    sizes = np.array([len(tree["child"]) for tree in trees])
    root = np.concatenate([[0], np.cumsum(sizes)])
    return Forest(
        feature=np.concatenate([tree["feature"] for tree in trees]).astype(np.int32),
        threshold=rounded_down(np.concatenate([tree["threshold"] for tree in trees])),
        child=np.concatenate([tree["child"] + start for tree, start in zip(trees, root[:-1], strict=True)]).astype(
            np.int32
        ),
        path=np.concatenate([tree["path"] for tree in trees]),
        root=root.astype(np.int32),
        depth=max(int(tree["depth"]) for tree in trees),
        scale=float(average_path(np.array([fitted.max_samples_]))[0]),
        offset=float(fitted.offset_),
    )


def average_path(samples: NDArray[Any]) -> NDArray[np.float64]:
    """Mean path length of an unsuccessful search in a binary tree of that many samples.

    Source: Liu et al. 2008, equation 1, with scikit-learn's exact values for one and two samples.
    """
    count = np.maximum(samples.astype(np.float64), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        general = 2.0 * (np.log(count - 1.0) + np.euler_gamma) - 2.0 * (count - 1.0) / count
    return np.where(count <= 1, 0.0, np.where(count == 2, 1.0, general))


def rounded_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 not above each: a float32 feature exceeds it exactly when it exceeds the float64."""
    nearest = thresholds.astype(np.float32)
    above = nearest.astype(np.float64) > thresholds
    nearest[above] = np.nextafter(nearest[above], np.float32(-np.inf))
    return nearest


def _tree(tree: Any, columns: NDArray[np.int64]) -> dict[str, Any]:
    left = tree.children_left
    nodes, depth, _, child = breadth_first(left, tree.children_right, left == LEAF)
    is_leaf = left[nodes] == LEAF
    return {
        "feature": np.where(is_leaf, 0, columns[np.where(is_leaf, 0, tree.feature[nodes])]),
        "threshold": np.where(is_leaf, np.inf, tree.threshold[nodes]),
        "child": child,
        "path": np.where(is_leaf, depth + average_path(tree.n_node_samples[nodes]), 0.0),
        "depth": depth.max(),
    }
