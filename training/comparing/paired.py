"""How sure the difference of two shares is that were counted on the same logins.

Two things make it unsure. Few logins: Newcombe's interval for pairs holds there, also where no login differs. Logins of
one person are alike: a bootstrap over people sees that. What is told spans both, so it is rather too wide.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from training.comparing.comparison import NOTHING_KNOWN, Interval

Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]

RESAMPLES: Final = 2000
AT_ONCE: Final = 4_000_000
"""Numbers that one piece of the bootstrap holds: 32 MB."""
LIMITS: Final = (2.5, 97.5)
_Z: Final = float(stats.norm.ppf(0.975))


def difference(active: Flags, candidate: Flags, people: Sequence[Hashable], chance: np.random.Generator) -> Interval:
    """The candidate's share of flagged logins less the active one's; `people` says whose each login is."""
    if not len(active):
        return NOTHING_KNOWN
    both, only_active = int((active & candidate).sum()), int((active & ~candidate).sum())
    only_candidate = int((candidate & ~active).sum())
    by_table = newcombe(both, only_candidate, only_active, len(active))
    by_people = _resampled(candidate.astype(np.int64) - active, people, chance)
    return Interval(value=by_table.value, low=min(by_table.low, by_people[0]), high=max(by_table.high, by_people[1]))


def times(interval: Interval, factor: float) -> Interval:
    """The interval of so many times the number."""
    return Interval(value=interval.value * factor, low=interval.low * factor, high=interval.high * factor)


def newcombe(both: int, only_first: int, only_second: int, among: int) -> Interval:
    """The first share less the second of the same logins. Source: Newcombe 1998, Statistics in Medicine 17, 2635,
    method 10 (square and add)."""
    neither = among - both - only_first - only_second
    first, second = both + only_first, both + only_second
    (low_1, high_1), (low_2, high_2) = _wilson(first, among), _wilson(second, among)
    p_1, p_2 = first / among, second / among
    cross = float(both * neither - only_first * only_second)
    if cross > 0:
        cross = max(cross - among / 2.0, 0.0)
    product = float(first) * (among - first) * second * (among - second)
    phi = cross / sqrt(product) if product > 0 else 0.0
    below = (p_1 - low_1) ** 2 - 2 * phi * (p_1 - low_1) * (high_2 - p_2) + (high_2 - p_2) ** 2
    above = (high_1 - p_1) ** 2 - 2 * phi * (high_1 - p_1) * (p_2 - low_2) + (p_2 - low_2) ** 2
    value = (only_first - only_second) / among
    return Interval(
        value=value, low=max(-1.0, value - sqrt(max(below, 0.0))), high=min(1.0, value + sqrt(max(above, 0.0)))
    )


def mcnemar(only_active: int, only_candidate: int) -> float:
    """How likely logins that differ divide so unevenly if neither model is better: exact, two-sided.

    Source: McNemar 1947; the exact form is a binomial test of one half.
    """
    differing = only_active + only_candidate
    return float(stats.binomtest(only_candidate, differing, 0.5).pvalue) if differing else 1.0


def _wilson(count: int, among: int) -> tuple[float, float]:
    """Source: Wilson 1927."""
    share, square = count / among, _Z * _Z
    middle, half = share + square / (2 * among), _Z * sqrt(share * (1 - share) / among + square / (4 * among * among))
    return (middle - half) / (1 + square / among), (middle + half) / (1 + square / among)


def _resampled(differs: Whole, people: Sequence[Hashable], chance: np.random.Generator) -> tuple[float, float]:
    """Limits of the mean of `differs` when people are drawn with replacement, each with all of their logins.

    Alike people are drawn together: how many of a kind a sample has is multinomial, so millions of people cost no more
    than the few kinds that they are of.
    """
    numbers: dict[Hashable, int] = {}
    who = np.array([numbers.setdefault(person, len(numbers)) for person in people])
    sums = np.bincount(who, weights=differs, minlength=len(numbers))
    logins = np.bincount(who, minlength=len(numbers))
    kinds, alike = np.unique(np.stack([sums, logins]), axis=1, return_counts=True)
    rounds = max(1, min(RESAMPLES, AT_ONCE // len(alike)))
    found: list[NDArray[np.float64]] = []
    for start in range(0, RESAMPLES, rounds):
        drawn = chance.multinomial(len(numbers), alike / alike.sum(), size=min(rounds, RESAMPLES - start))
        found.append((drawn @ kinds[0]) / (drawn @ kinds[1]))
    low, high = np.percentile(np.concatenate(found), LIMITS)
    return float(low), float(high)
