"""How far live logins have moved from those that a model was fitted on, and how far chance alone would move them.

Nothing here decides what is too far: see `core.drift_marks`.
"""

import math
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from risk_scorer.core.encoders import SMOOTHING

Counts = NDArray[np.int64]
Values = NDArray[np.float64]

DRAWS: Final = 300
NOISE_SHARE: Final = 0.99
"""So rarely chance alone makes a stability index this large."""
CONFIDENCE: Final = 0.95
_TERMS: Final = 100


class Shift(Struct, frozen=True, kw_only=True):
    """How one number moved. `psi` is the population stability index over its bins, the one of missing values among
    them, `low` and `high` its 95 % interval, `noise` what chance alone reaches once in a hundred times.

    `ks` is the Kolmogorov-Smirnov distance over the bins of values, at most the one over raw values, and `ks_p` how
    likely chance alone makes it this large. `missing_before` and `missing_now` are shares.
    """

    name: str
    logins: int
    psi: float
    low: float
    high: float
    noise: float
    ks: float
    ks_p: float
    missing_before: float
    missing_now: float


def shift(name: str, before: Counts, now: Counts, *, seed: int = 0) -> Shift:
    """What became of a number: `before` and `now` count its bins, the last one for missing values."""
    chance = np.random.default_rng(seed)
    value = float(stability_index(before, now))
    low, high = interval(before, now, chance)
    values_before, values_now = before[:-1], now[:-1]
    distance = binned_distance(values_before, values_now)
    return Shift(
        name=name,
        logins=int(now.sum()),
        psi=value,
        low=low,
        high=high,
        noise=noise(before, now, chance),
        ks=distance,
        ks_p=chance_of_distance(distance, int(values_before.sum()), int(values_now.sum())),
        missing_before=_share(before[-1], before.sum()),
        missing_now=_share(now[-1], now.sum()),
    )


def stability_index(before: NDArray[np.integer], now: NDArray[np.integer]) -> NDArray[np.float64]:
    """The population stability index of counts over the last axis; half a login more in each bin keeps it finite.

    Source: Siddiqi 2006, Credit Risk Scorecards: below 0.1 nothing moved, from 0.25 on much has. It is the Jeffreys
    divergence of the two shares, in nats.
    """
    was, has = before + SMOOTHING, now + SMOOTHING
    was, has = was / was.sum(axis=-1, keepdims=True), has / has.sum(axis=-1, keepdims=True)
    found: NDArray[np.float64] = ((has - was) * np.log(has / was)).sum(axis=-1)
    return found


def noise(before: Counts, now: Counts, chance: np.random.Generator) -> float:
    """The index that chance alone stays below 99 times in a hundred, were both of one population (bootstrap)."""
    both = (before + now) / (before.sum() + now.sum())
    drawn = stability_index(
        chance.multinomial(int(before.sum()), both, DRAWS), chance.multinomial(int(now.sum()), both, DRAWS)
    )
    return float(np.quantile(drawn, NOISE_SHARE))


def interval(before: Counts, now: Counts, chance: np.random.Generator) -> tuple[float, float]:
    """95 % limits of the index. Drawing again adds its own noise, which the basic bootstrap takes off again.

    Source: Davison and Hinkley 1997, section 5.2.
    """
    value = float(stability_index(before, now))
    drawn = stability_index(_again(before, chance), _again(now, chance))
    tail = (1.0 - CONFIDENCE) / 2.0
    below, above = np.quantile(drawn, (tail, 1.0 - tail)).tolist()
    return max(0.0, 2.0 * value - above), max(0.0, 2.0 * value - below)


def _again(counts: Counts, chance: np.random.Generator) -> NDArray[np.int64]:
    total = int(counts.sum())
    shares = counts / total if total else np.full(len(counts), 1.0 / len(counts))
    drawn: Counts = chance.multinomial(total, shares, DRAWS)
    return drawn


def binned_distance(before: Counts, now: Counts) -> float:
    """The largest difference between the two shares of logins below an edge; 0 when one of them has none."""
    if not before.sum() or not now.sum():
        return 0.0
    return float(np.abs(np.cumsum(before) / before.sum() - np.cumsum(now) / now.sum()).max())


def raw_distance(before: Values, now: Values) -> float:
    """The two-sample Kolmogorov-Smirnov distance of the values themselves; 0 when one of them is empty."""
    if not len(before) or not len(now):
        return 0.0
    at = np.concatenate([before, now])
    was = np.searchsorted(np.sort(before), at, side="right") / len(before)
    has = np.searchsorted(np.sort(now), at, side="right") / len(now)
    return float(np.abs(was - has).max())


def chance_of_distance(distance: float, before: int, now: int) -> float:
    """How likely chance alone makes a distance this large, at most; values that many share make it less likely.

    Source: Kolmogorov's limit with the correction of Stephens 1970.
    """
    if not before or not now or distance <= 0.0:
        return 1.0
    root = math.sqrt(before * now / (before + now))
    at = (root + 0.12 + 0.11 / root) * distance
    if at < 0.2:
        return 1.0  # the series converges slowly there, and says 1
    total: float = sum((-1.0) ** (term - 1) * math.exp(-2.0 * (term * at) ** 2) for term in range(1, _TERMS))
    return min(1.0, max(0.0, 2.0 * total))


def _share(count: float, among: float) -> float:
    return float(count / among) if among else 0.0
