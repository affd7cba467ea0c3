"""How fast a person would have had to travel since their last login, for whole columns at once.

What a speed means is for rules to say. Addresses tell places roughly, so both places are as near as they may be.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.lessons import UNKNOWN_ACCURACY_KM
from risk_scorer.core.places import distances_km
from risk_scorer.core.signals import PLACE

Matrix = NDArray[np.float64]

LEAST_SECONDS = 60.0
"""Two logins closer in time than this are taken to be so far apart: clocks of two reporters differ."""

_ENDS = [PLACE[name] for name in ("last_latitude", "last_longitude", "latitude", "longitude")]
_AT = np.array([PLACE[name] for name in ("ts", "last_ts", "accuracy", "last_accuracy", "shared", "last_shared")])
# Given to the kernel as an argument: see `features`.


def speeds_kmh(signals: Matrix) -> Matrix:
    """(n,) km/h of (n, len(COLUMNS)) signals; NaN where a place is unknown or a relay's, at either end.

    The distance is what is left of it after both radii of accuracy.
    """
    ends = [np.ascontiguousarray(signals[:, place]) for place in _ENDS]
    out: Matrix = distances_km(ends[0], ends[1], ends[2], ends[3])
    _fill(signals, UNKNOWN_ACCURACY_KM, LEAST_SECONDS, _AT, out)
    return out


@njit(cache=True, nogil=True)
def _fill(signals: Any, unknown_km: float, least_seconds: float, at: Any, out: Any) -> None:
    for row in range(signals.shape[0]):
        if signals[row, at[4]] > 0.0 or signals[row, at[5]] > 0.0:
            out[row] = math.nan
            continue
        accuracy, last_accuracy = signals[row, at[2]], signals[row, at[3]]
        radii = unknown_km if math.isnan(accuracy) else accuracy
        radii += unknown_km if math.isnan(last_accuracy) else last_accuracy
        left = out[row] - radii
        if left < 0.0:  # a comparison with NaN is false and NaN goes through
            left = 0.0
        seconds = max(least_seconds, abs(signals[row, at[0]] - signals[row, at[1]]))
        out[row] = left * 3600.0 / seconds
