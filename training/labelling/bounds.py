"""How much labels may move a model, all together and by any one person, network, operator or mouth.

Whoever can label could otherwise teach: a stolen analyst's account, one network from which thousands of complaints
come, one person who reports everything. A weight here is a share of what the simulated strangers weigh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]

MOST_OF_ALL: Final = 0.10
"""What all labels of one kind may weigh: a tenth of the strangers, or of people's own logins for the safe ones."""
EACH: Final = 0.005
"""What one undoubted label weighs; twenty of them fill `MOST_OF_ALL`."""
SHARES: Final[Mapping[str, float]] = {"person": 0.10, "network": 0.20, "operator": 0.40, "mouth": 0.50}
"""The share of `MOST_OF_ALL` that one person, one network (/24 or /48), one operator (ASN) and one mouth may have.

Of what labels may weigh and not of what they do weigh: one label alone is all there is, and teaches its bit.
"""


@dataclass(frozen=True, slots=True)
class Grouped:
    """A label's worth, 0-1, and whom it counts for in each of `SHARES`; "" for an operator nobody knows."""

    worth: float
    person: str
    network: str
    operator: str
    mouth: str


@dataclass(frozen=True, slots=True)
class Bounded:
    """(n,) weights within every bound, how many labels were cut, and the largest share of each kind of group (0-1)."""

    weights: Weights
    cut: int
    largest: Mapping[str, float]


def bounded(labels: Sequence[Grouped]) -> Bounded:
    """What these labels weigh. Each bound only takes away, so that none undoes an earlier one."""
    wanted = EACH * np.array([label.worth for label in labels], np.float64)
    weights = wanted.copy()
    for kind, share in SHARES.items():
        names = [getattr(label, kind) for label in labels]
        weights *= _cuts(weights, names, MOST_OF_ALL * share)
    total = float(weights.sum())
    if total > MOST_OF_ALL:
        weights *= MOST_OF_ALL / total
    largest = {kind: _largest(weights, [getattr(label, kind) for label in labels]) / MOST_OF_ALL for kind in SHARES}
    return Bounded(weights, int((weights < wanted * (1.0 - 1e-9)).sum()), largest)


def _cuts(weights: Weights, names: Sequence[str], most: float) -> Weights:
    """(n,) what is left of each weight so that no name has more than `most`; labels without a name are let be."""
    sums = _sums(weights, names)
    return np.array([min(1.0, most / sums[name]) if sums.get(name) else 1.0 for name in names], np.float64)


def _sums(weights: Weights, names: Sequence[str]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for name, weight in zip(names, weights.tolist(), strict=True):
        if name:
            sums[name] = sums.get(name, 0.0) + weight
    return sums


def _largest(weights: Weights, names: Sequence[str]) -> float:
    return max(_sums(weights, names).values(), default=0.0)
