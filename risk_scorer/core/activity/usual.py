"""What is usual of a number: its mean and variance, learned so that no single value can move them far.

Robust by Winsor's rule (Tukey 1962, "The Future of Data Analysis"): a value beyond three deviations counts as one at
three. So whoever stays below the marks moves a baseline in small steps only, and what is learned forgets: the newest
`MEMORY` values carry most of it.
"""

import math
from typing import ClassVar

from risk_scorer.core.activity.memory import Part

MEMORY = 200.0
"""Values after which the mean follows the newer ones: some months of a person's sessions."""
CLIP = 3.0
SURE_FROM = 8.0
"""Values before which nothing is clipped: the deviation is not known before."""
LEAST_DEVIATION = 1e-3


class Usual(Part):
    """How many values (at most `MEMORY`), their mean, their variance."""

    most_bytes: ClassVar[int] = 28
    seen: float = 0.0
    mean: float = 0.0
    variance: float = 0.0


def learn_value(usual: Usual, value: float, least: float = LEAST_DEVIATION) -> None:
    """One more value. Source: West 1979, updating mean and variance; weights never fall below 1 / MEMORY."""
    before = usual.seen
    if before >= SURE_FROM:
        reach = CLIP * max(math.sqrt(usual.variance), least)
        value = min(max(value, usual.mean - reach), usual.mean + reach)
    seen = before + 1.0
    step = value - usual.mean
    weight = 1.0 / seen
    usual.mean += step * weight
    usual.variance += (step * (value - usual.mean) - usual.variance) * weight
    usual.seen = seen if seen < MEMORY else MEMORY - 1.0


def blended(own: Usual, others: Usual | None, strength: float) -> tuple[float, float, float]:
    """How many values it rests on, mean and variance of the person, with `strength` values' worth of their peers'.

    The variance holds how far the two means are apart, so that whoever is little known surprises less.
    """
    if others is None or others.seen <= 0.0:
        return own.seen, own.mean, own.variance
    weight = strength * min(1.0, others.seen / MEMORY * 4.0)
    share = own.seen / (own.seen + weight) if own.seen + weight > 0.0 else 0.0
    apart = own.mean - others.mean if own.seen else 0.0
    mean = others.mean + share * apart
    variance = share * own.variance + (1.0 - share) * others.variance + share * (1.0 - share) * apart * apart
    return own.seen + others.seen, mean, variance


FREEDOM = 6.0
"""Student's t with few degrees of freedom has long tails, as bytes and latencies have (Lange, Little, Taylor 1989)."""


def tail_nats(deviations: float) -> float:
    """How rare it is to be so many deviations off, about: Student's t density at its peak against there, as a log."""
    return 0.5 * (FREEDOM + 1.0) * math.log1p(deviations * deviations / FREEDOM)
