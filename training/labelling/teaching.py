"""How heavy labels may be in a model before what they teach costs too much of what it can do already.

The marks hold a budget: what scores higher because of labels pushes something else below. So a model is fitted without
the labels' weight first, and with less and less of it until no kind of simulated stranger is caught much more seldom.
Whoever labels can make a model blind to that extent and no further.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

Fit = TypeVar("Fit")

TRIED: Final = (1.0, 0.5, 0.25, 0.125, 0.0625)
"""Shares of their weight that labels are tried with; if none will do they weigh nothing."""
MOST_LOST: Final = 0.05
"""By how much the recall of a kind of stranger may fall, in shares of them, beyond what is chance."""
CHANCE: Final = 1.645
"""Standard errors that are chance, one-sided at 95 %."""


def as_heavy_as_may_be(
    fitted: Callable[[float], Fit], recall: Callable[[Fit], Mapping[str, float]], strangers: Mapping[str, int]
) -> tuple[Fit, float, Fit]:
    """The fit with the largest share of the labels' weight that costs little enough, that share, and the one without.

    `fitted` fits with a share, `recall` says what of each kind a fit catches, `strangers` how many there are of each.
    """
    without = fitted(0.0)
    for share in TRIED:
        candidate = fitted(share)
        if not costs_too_much(recall(without), recall(candidate), strangers):
            return candidate, share, without
    return without, 0.0, without


def costs_too_much(before: Mapping[str, float], after: Mapping[str, float], strangers: Mapping[str, int]) -> bool:
    """Whether some kind is caught more seldom by more than `MOST_LOST` and by more than chance."""
    return any(before[kind] - after[kind] > max(MOST_LOST, _noise(before[kind], strangers[kind])) for kind in before)


def _noise(share: float, of: int) -> float:
    """What two fits may differ by without meaning it; the same strangers are judged by both, so it is generous."""
    middle = min(max(share, 1.0 / (of + 2)), (of + 1) / (of + 2))
    return CHANCE * math.sqrt(2.0 * middle * (1.0 - middle) / of)
