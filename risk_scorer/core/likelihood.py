"""How much likelier each value of a login is among everyone than for this person, and what rarity is worth, in nats.

Source: Freeman, Jain, Dürmuth, Biggio, Giacinto 2016, "Who Are You? A Statistical Approach to Measuring User
Authenticity"; the share of values not yet seen after Pitman and Yor 1997. What follows from a new country is a new
network too: adding these ratios up would count one fact several times, so `core.pairs` learns what they are worth
together.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.encoders import COUNTED
from risk_scorer.core.signals import LEVELS, PLACE

Matrix = NDArray[np.float64]

RARE_SHARE = 0.5
"""Share of attackers whose network is drawn from all that exist instead of by how much it is used."""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Numbers for each of `LEVELS`, (12,) each, measured at training.

    `strength` logins' worth of back-off to everyone's share and `discount` (0-1) logins taken from each known value
    for the ones not yet seen; `scale` and `unseen` from `encoders.uniform_ratios`, 0 where rarity is no evidence;
    `used` 1 where the log has the column. `most` bounds what one rarity adds.
    """

    strength: Matrix
    discount: Matrix
    scale: Matrix
    unseen: Matrix
    used: Matrix
    most: float


def own_share(seen: Any, logins: Any, spread: Any, world: Any, strength: Any, discount: Any) -> Any:
    """Among one person's `logins`, the share of a value `seen` so often, backing off to the world's.

    `spread` is how many values the person has had: whoever often has a new one surprises less with the next.
    """
    taken = discount * np.minimum(spread, logins)
    kept = np.maximum(np.minimum(seen, logins) - discount, 0.0)
    return (kept + (strength + taken) * world) / (logins + strength)


_own = njit(cache=True, nogil=True)(own_share)

_LOGINS = PLACE["logins"]
_SEEN = np.array([PLACE[f"seen_{name}"] for name in LEVELS])
_SPREAD = np.array([PLACE[f"spread_{name}"] for name in LEVELS])
_COUNT = np.array([PLACE[f"count_{name}"] for name in LEVELS])
WORLD = np.array([COUNTED.index(name) for name in LEVELS])
"""Column of each level in `shares`."""
_COLUMNS = np.stack([_SEEN, _SPREAD, WORLD], axis=1)
# Given to the kernels as arguments: see `features`.


def ratios(signals: Matrix, shares: Matrix, likelihood: Likelihood) -> Matrix:
    """(n, 12) nats: positive speaks against the person; 0 for a person without history and a level not in the log."""
    out = np.empty((len(signals), len(LEVELS)))
    _fill_ratios(signals, shares, likelihood.strength, likelihood.discount, likelihood.used, _LOGINS, _COLUMNS, out)
    return out


def rarity(signals: Matrix, likelihood: Likelihood) -> Matrix:
    """(n, 12) nats, at least 0: how much rarer than usual among everyone a value is that is not the person's own."""
    out = np.empty((len(signals), len(LEVELS)))
    numbers = (RARE_SHARE, likelihood.most)
    _fill_rarity(signals, likelihood.scale, likelihood.unseen, likelihood.used, numbers, _SEEN, _COUNT, out)
    return out


@njit(cache=True, nogil=True)
def _fill_ratios(
    signals: Any, shares: Any, strength: Any, discount: Any, used: Any, at_logins: int, columns: Any, out: Any
) -> None:
    for row in range(signals.shape[0]):
        logins = signals[row, at_logins]
        for level in range(out.shape[1]):
            own_seen, own_spread, everyone = columns[level]
            if used[level] == 0.0 or logins == 0.0:
                out[row, level] = 0.0
                continue
            world = shares[row, everyone]
            seen, spread = signals[row, own_seen], signals[row, own_spread]
            out[row, level] = math.log(world / _own(seen, logins, spread, world, strength[level], discount[level]))


@njit(cache=True, nogil=True)
def _fill_rarity(
    signals: Any, scale: Any, unseen: Any, used: Any, numbers: Any, seen: Any, counts: Any, out: Any
) -> None:
    share, most = numbers
    for row in range(signals.shape[0]):
        for level in range(out.shape[1]):
            out[row, level] = 0.0
            if used[level] > 0.0 and scale[level] > 0.0 and signals[row, seen[level]] == 0.0:
                count = signals[row, counts[level]]
                ratio = scale[level] / count if count > 0.0 else unseen[level]
                if ratio > 1.0:
                    out[row, level] = min(most, math.log(1.0 - share + share * ratio))
