"""A share of many with how sure one can be of it."""

from math import sqrt
from typing import Final

import msgspec

Z: Final = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: two sides of 2.5 % each."""
PROMPT_BUDGET: Final = 0.02
"""Of logins that are their owner's, how many may be asked for a factor: training fixes the scale of scores by it."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """`count` of `among`: the share, and where the true one lies with 95 % confidence; None where there is nothing."""

    count: int
    among: int
    share: float | None = None
    least: float | None = None
    most: float | None = None


def share(count: int, among: int) -> Share:
    """The share with its interval. Source: Wilson 1927, the score interval."""
    if among <= 0:
        return Share(count=count, among=among)
    found, square = count / among, Z * Z
    centre = found + square / (2 * among)
    half = Z * sqrt(found * (1 - found) / among + square / (4 * among * among))
    scale = 1 + square / among
    least, most = max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)
    return Share(
        count=count,
        among=among,
        share=found,
        least=0.0 if count == 0 else least,
        most=1.0 if count == among else most,
    )
