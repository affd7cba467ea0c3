"""How unlike a person's own hours of the day a login's hour is, in nats, for whole columns at once.

Source: Freeman, Jain, Dürmuth, Biggio, Giacinto 2016, "Who Are You? A Statistical Approach to Measuring User
Authenticity": what everyone does over what this person does, backing off to everyone while they are little known.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.signals import PLACE

Matrix = NDArray[np.float64]

LEAST, MOST = -0.5, 2.0
"""Bounds of the term: people do work late, and an attacker can wait for the usual hour."""
_SMALLEST_SHARE = 1e-4  # of an hour at which nobody has ever come

_AT = np.array([PLACE[name] for name in ("hour_local", "hour_near", "hour_logins")])
# Given to the kernel as an argument: see `features`.


def hour_terms(signals: Matrix, profile: Matrix, strength: float) -> Matrix:
    """(n,) nats, positive where the hour speaks against the person, 0 for whoever has no hours yet.

    `profile` is everyone's share of each local hour, (24,); `strength` is how many logins' worth of it a person has.
    """
    out = np.empty(len(signals))
    _fill(signals, profile, strength, (LEAST, MOST, _SMALLEST_SHARE), _AT, out)
    return out


@njit(cache=True, nogil=True)
def _fill(signals: Any, profile: Any, strength: float, bounds: Any, at: Any, out: Any) -> None:
    least, most, smallest = bounds
    for row in range(signals.shape[0]):
        logins = signals[row, at[2]]
        if logins == 0.0:
            out[row] = 0.0
            continue
        everyone = max(smallest, profile[int(signals[row, at[0]])])
        own = (signals[row, at[1]] + strength * everyone) / (logins + strength)
        out[row] = most if own <= 0.0 else min(most, max(least, math.log(everyone / own)))
