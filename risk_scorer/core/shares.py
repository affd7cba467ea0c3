"""How likely each value is among everyone, smoothed, and backing off from what is specific to what is common.

address → prefix → operator → country → world; user agent → browser version → browser → OS → device type → world.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.encoders import COUNTED, SMOOTHING
from risk_scorer.core.signals import PLACE

Matrix = NDArray[np.float64]

WIDER = {
    "ip": "prefix", "prefix": "asn", "asn": "country",
    "ua": "browser_version", "browser_version": "browser", "browser": "os", "os": "device_type",
}  # fmt: skip
"""What an attribute backs off to; one that is not named here backs off to the world."""


def _depth(name: str) -> int:
    return 1 + _depth(WIDER[name]) if name in WIDER else 0


_ORDER = np.array([COUNTED.index(name) for name in sorted(COUNTED, key=_depth)])
_WIDER = np.array([COUNTED.index(WIDER[name]) if name in WIDER else -1 for name in COUNTED])
_COUNT = np.array([PLACE[f"count_{name}"] for name in COUNTED])
# Given to the kernel as arguments: see `features`.


def shares(signals: Matrix, total: float, kinds: Matrix) -> Matrix:
    """(n, 14) the probability of each login's value of each of `COUNTED`, in (0, 1].

    A value counted c times among `total` logins has (c + b q) / (total + b), where b is half a login for each of the
    attribute's values and one more, and q is the part of that which falls to this value: the share of what it backs
    off to, divided among the values found there on average. `kinds` (14,) counts the values there are.
    """
    out = np.empty((len(signals), len(COUNTED)))
    _fill(signals, total, kinds, SMOOTHING, _ORDER, _WIDER, _COUNT, out)
    return out


@njit(cache=True, nogil=True)
def _fill(
    signals: Any, total: float, kinds: Any, smoothing: float, order: Any, wider: Any, counts: Any, out: Any
) -> None:
    for row in range(signals.shape[0]):
        for attribute in order:
            above = wider[attribute]
            values = kinds[attribute] + 1.0
            spare = smoothing * values
            part = 1.0 / values if above < 0 else min(1.0, out[row, above] * (kinds[above] + 1.0) / values)
            share = (signals[row, counts[attribute]] + spare * part) / (total + spare)
            out[row, attribute] = min(1.0, share)
