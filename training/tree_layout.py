"""How a tree's nodes are laid out for walking: breadth first, siblings neighbours, children after their parents."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Layout(NamedTuple):
    """The nodes in their new order, how deep each lies, its parent, and its left child (a leaf is its own)."""

    order: NDArray[np.int64]
    depth: NDArray[np.int64]
    parent: NDArray[np.int64]
    child: NDArray[np.int64]


def breadth_first(left: Any, right: Any, is_leaf: Any) -> Layout:
    """The layout of a tree that is given by each node's children; node 0 is the root."""
    order, depth, parent = [0], [0], [0]
    child: list[int] = []
    for place, node in enumerate(order):  # grows while it is walked
        if is_leaf[node]:
            child.append(place)
            continue
        child.append(len(order))
        order += [int(left[node]), int(right[node])]
        depth += [depth[place] + 1] * 2
        parent += [place] * 2
    return Layout(np.array(order), np.array(depth), np.array(parent), np.array(child))
