"""Numbers put into at most 255 bins before trees are boosted on them, with one sorting for all weighted quantiles.

scikit-learn does the same, and sorts anew for each of 254 quantiles: for a small log that is most of the training.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

BINS = 255
"""As many as scikit-learn's histograms have beside the one for what is missing."""
FARTHEST = 1e300


class Binned(NamedTuple):
    """(n, columns) places of each value among its column's edges, and the rising edges of each column."""

    places: Matrix
    edges: tuple[Matrix, ...]

    def edge(self, column: int, between: float) -> float:
        """The edge that a split between two places stands for: values up to it go left."""
        return float(self.edges[column][int(np.ceil(between)) - 1])


def binned(values: Matrix, weight: Matrix) -> Binned:
    """The columns of (n, columns) finite values in bins of about equal (n,) positive weight."""
    edges = tuple(edges_of(values[:, column], weight) for column in range(values.shape[1]))
    places = np.empty_like(values)
    for column, own in enumerate(edges):
        places[:, column] = np.searchsorted(own, values[:, column], side="left")
    return Binned(places, edges)


def edges_of(values: Matrix, weight: Matrix) -> Matrix:
    """Midpoints of neighbours where there are few values, else the weighted quantiles.

    Source: Hyndman and Fan 1996, definition 2, as scikit-learn's `HistGradientBoostingClassifier` takes them.
    """
    order = np.argsort(values)
    ranked, weighed = values[order], weight[order]
    distinct = np.unique(ranked)
    if len(distinct) == 1:
        return np.empty(0)
    if len(distinct) <= BINS:
        return np.asarray((distinct[:-1] + distinct[1:]) / 2)
    again = np.argsort(ranked)  # weights of equal values add up in this order in scikit-learn
    total = np.cumsum(weighed[again])
    asked = np.linspace(0, 100, num=BINS + 1)[1:-1] / 100 * total[-1]
    at = np.clip(np.searchsorted(total, asked), 0, len(total) - 1)
    after = np.clip(at + 1, 0, len(total) - 1)
    is_inside = total[at] - asked > np.finfo(np.float64).eps
    found = np.where(is_inside, ranked[again[at]], (ranked[again[at]] + ranked[again[after]]) / 2)
    return np.asarray(np.minimum(np.unique(found), FARTHEST), np.float64)
