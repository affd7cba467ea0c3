"""Limits of a share that was counted. The serving path has no statistics library, and needs these few lines of one."""

import math
from typing import Final

CONFIDENCE: Final = 0.95
_STEPS: Final = 60
"""Halvings of the range from 0 to 1: past them a float64 does not change."""
_FRACTION_STEPS: Final = 10_000
_TINY: Final = 1e-300


def limits(count: int, among: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Two-sided limits of a share; (0, 1) among none. Source: Clopper and Pearson 1934."""
    tail = (1.0 - confidence) / 2.0
    low = _quantile(tail, count, among - count + 1) if count > 0 else 0.0
    high = _quantile(1.0 - tail, count + 1, among - count) if count < among else 1.0
    return low, high


def _quantile(share: float, a: float, b: float) -> float:
    """The point below which that share of the beta distribution lies."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if beta_below(middle, a, b) < share else (low, middle)
    return (low + high) / 2.0


def beta_below(x: float, a: float, b: float) -> float:
    """The share of the beta distribution below `x`: the regularised incomplete beta function.

    Source: DLMF 8.17.22 (the continued fraction) and 8.17.4 (the symmetry), evaluated by Lentz's method.
    """
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    upper, lower = 1.0, _inverse(1.0 - (a + b) * x / (a + 1.0))
    value = lower
    for step in range(1, _FRACTION_STEPS):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for part in (even, odd):
            lower = _inverse(1.0 + part * lower)
            upper = 1.0 + part / upper if abs(1.0 + part / upper) > _TINY else _TINY
            value *= upper * lower
        if abs(upper * lower - 1.0) < 1e-14:
            break
    return value


def _inverse(value: float) -> float:
    return 1.0 / (value if abs(value) > _TINY else _TINY)
