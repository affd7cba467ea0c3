"""Whether trees laid out as arrays can be walked: a node's two children are neighbours, a leaf is its own child."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Trees(Protocol):
    """What `core.forest.Forest` and `core.pairs.Pairs` have in common."""

    @property
    def feature(self) -> NDArray[np.int32]: ...
    @property
    def threshold(self) -> NDArray[Any]: ...
    @property
    def child(self) -> NDArray[np.int32]: ...
    @property
    def root(self) -> NDArray[np.int32]: ...
    @property
    def depth(self) -> int: ...


def problem(trees: Trees, values: Sequence[NDArray[np.float64]], *, trees_said: int, inputs: int) -> str | None:
    """Whatever could make a walk leave its arrays, or not end at a leaf; `values` are what leaves hold."""
    feature, threshold = trees.feature, trees.threshold
    child, root = trees.child.astype(np.int64), trees.root.astype(np.int64)  # in which no sum wraps around
    nodes = len(feature)
    if any(len(array) != nodes for array in (threshold, child, *values)):
        return "its arrays differ in length"
    if len(root) != trees_said + 1 or root[0] != 0 or root[-1] != nodes or (np.diff(root) < 1).any():
        return "its trees do not tile its nodes"
    if (feature < 0).any() or (feature >= inputs).any():
        return "it asks for a feature that is not there"
    at = np.arange(nodes)
    inner = child != at
    end = np.repeat(root[1:], np.diff(root))
    if (child[inner] <= at[inner]).any() or (child[inner] + 1 >= end[inner]).any():
        return "a child does not come after its parent in the same tree"
    if not np.isposinf(threshold[~inner]).all() or not np.isfinite(threshold[inner]).all():
        return "a threshold is not a number"
    if not all(np.isfinite(array).all() for array in values) or depth(root, child) != trees.depth:
        return "a walk does not end where it should"
    return None


def depth(root: NDArray[np.int64], child: NDArray[np.int64]) -> int:
    """The longest walk from a root to a leaf; children come after parents."""
    at = root[:-1]
    for steps in range(65):
        at = at[child[at] != at]
        if not len(at):
            return steps
        at = np.unique(np.concatenate([child[at], child[at] + 1]))
    return -1
