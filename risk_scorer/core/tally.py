"""Counts scored logins by where their numbers fall, for as long as it takes to add a few hundred integers.

Only successes of the kind `login` count: refreshes and step-ups come from people who are already known, and whoever
guesses passwords must not be able to shift what people look like.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.contract.assessment import HIGH_FROM, MEDIUM_FROM
from risk_scorer.core.encoders import COUNTED
from risk_scorer.core.features import FEATURES, NOVEL
from risk_scorer.core.observation import Observation
from risk_scorer.core.reference import HEAD, SCORE, Reference, Vector, width
from risk_scorer.core.signals import PLACE

Matrix = NDArray[np.float64]

NEVER: Final = -1
MISSING_AT: Final = {
    "geo_distance": "latitude", "place_distance": "place_km", "gap": "gap", "speed": "last_latitude",
    "ja4_valid": "ja4_given", "ja4_contradicts_browser": "ja4_given", "ja4_rarity": "ja4_given",
    **dict.fromkeys((f"{name}_novelty" for name in NOVEL), "logins"),
}  # fmt: skip
"""The signal that says whether a feature was measured or filled in: NaN there is a missing value. What is new to
somebody is not known of people without history."""
COUNTING: Final = frozenset({"ja4_given", "logins"})
"""Signals in which 0 says the same."""

_COUNTS = np.array([PLACE[f"count_{name}"] for name in COUNTED])
# Given to the kernel as an argument: see `features`.


class Tally:
    """One vector of counts that grows, for one reference."""

    def __init__(self, reference: Reference) -> None:
        spreads = [reference.spreads[name] for name in (*reference.watched, SCORE)]
        self._features = np.array([FEATURES.index(name) for name in reference.watched], np.int64)
        asked = [MISSING_AT.get(name) for name in reference.watched]
        self._missing = np.array([NEVER if name is None else PLACE[name] for name in asked], np.int64)
        self._zero = np.array([name in COUNTING for name in asked], np.bool_)
        self._edges = np.array([edge for spread in spreads for edge in spread.edges], np.float64)
        self._ends = np.cumsum([len(spread.edges) for spread in spreads]).astype(np.int64)
        self._width = width(reference)
        self.counts: Vector = np.zeros(self._width, np.int64)

    def take(self, numbers: tuple[Matrix, Matrix, Matrix, Matrix], kept: NDArray[np.bool_]) -> None:
        """Count the `kept` rows of `features`, `signals`, evidence `total` and `score`."""
        features, signals, total, score = numbers
        at = (self._features, self._missing, self._zero, self._edges, self._ends, _COUNTS)
        _count(features, signals, total, score, kept, at, (MEDIUM_FROM, HIGH_FROM), HEAD, self.counts)

    def drain(self) -> Vector:
        """What was counted; from now on it counts anew."""
        counts, self.counts = self.counts, np.zeros(self._width, np.int64)
        return counts


def is_counted(observations: Sequence[Observation]) -> NDArray[np.bool_]:
    """Which of these logins say something about the people who come now."""
    return np.array([seen.success and seen.kind == "login" for seen in observations], np.bool_)


@njit(cache=True, nogil=True)
def _count(
    features: Any, signals: Any, total: Any, score: Any, kept: Any, at: Any, marks: Any, head: int, out: Any
) -> None:
    columns, missing, zero, edges, ends, counts = at
    for row in range(features.shape[0]):
        if not kept[row]:
            continue
        out[0] += 1
        out[1] += score[row] >= marks[0]
        out[2] += score[row] >= marks[1]
        for place in range(counts.shape[0]):
            out[head + place] += signals[row, counts[place]] == 0.0
        bins, first = head + counts.shape[0], 0
        for watched in range(ends.shape[0]):
            end = ends[watched]
            inner = end - first
            is_missing, value = False, total[row]
            if watched < columns.shape[0]:
                value = features[row, columns[watched]]
                if missing[watched] >= 0:
                    told = signals[row, missing[watched]]
                    is_missing = math.isnan(told) or (zero[watched] and told == 0.0)
            place = inner + 1
            if not is_missing:
                place = 0
                while place < inner and value >= edges[first + place]:
                    place += 1
            out[bins + place] += 1
            bins += inner + 2
            first = end
