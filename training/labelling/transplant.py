"""A confirmed attack in other people's places: what was new about it stays, what was the victim's becomes theirs.

One login says what happened to one person. Learned as it stands, the trees would remember how long that person was
known and away; put beside many people's own logins it says what the attack was.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.pairs import CONTEXT, INPUTS
from risk_scorer.core.signals import LEVELS

Matrix = NDArray[np.float64]

PLACES: Final = 100
"""Own logins of other people that each attack is put in the place of."""
_KINDS: Final = tuple(len(CONTEXT) + kind * len(LEVELS) for kind in range(3))  # where ratios, shares and ages begin
if len(INPUTS) != _KINDS[-1] + len(LEVELS):
    raise ImportError("the inputs of the pairs are laid out in another way than this module knows")


def in_others_places(attacks: Matrix, own: Matrix, chance: np.random.Generator) -> Matrix:
    """(m * PLACES, 38) inputs: each of the (m, 38) attacks in the place of PLACES of the (n, 38) own logins.

    Levels at which the victim never had the attack's value keep the attack's numbers; all else is the other person's.
    """
    drawn = chance.integers(len(own), size=(len(attacks), PLACES))
    out = own[drawn].reshape(-1, own.shape[1])
    told = np.repeat(attacks, PLACES, axis=0)
    is_new = told[:, _KINDS[1] : _KINDS[1] + len(LEVELS)] == 0.0
    for start in _KINDS:
        part = slice(start, start + len(LEVELS))
        out[:, part] = np.where(is_new, told[:, part], out[:, part])
    return out
