"""Who acts in the rhythm of a machine: gaps between an account's events that are all about the same.

A person's gaps spread over orders of magnitude: for events that come by chance the quartiles of the gaps lie 1.6
medians apart (exponential distribution). A timer with a jitter of a tenth has them 0.1 apart.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from risk_scorer.core.campaigns.window import Columns, Floats, Ints

LEAST_GAPS: Final = 7
"""Of seven gaps by chance the quartiles lie as close as MOST_SPREAD in less than one of a hundred cases."""
MOST_SPREAD: Final = 0.25
SHORTEST_GAP_SECONDS: Final = 0.2
"""Below it the gaps are those of one page that loads its parts."""
LONGEST_GAP_SECONDS: Final = 6 * 3600.0
STEP: Final = 0.2
"""Rhythms whose medians differ by less than half of this (in the logarithm, so by a tenth) are surely one."""
UNKNOWN_SPREAD: Final = np.nan


class Rhythms(Struct, frozen=True):
    """`spread` is the distance of the quartiles in medians for each account, NaN where too little is known; `account`
    and `bucket` name the machine-like ones, each in two buckets that overlap, so that no border parts two alike."""

    spread: Floats
    account: Ints
    bucket: NDArray[np.int64]


def rhythms_of(columns: Columns, accounts: int) -> Rhythms:
    """The rhythms of the accounts 0 … accounts - 1."""
    of_gap, gaps = _gaps(columns)
    count = np.bincount(of_gap, minlength=accounts)
    first = np.concatenate([[0], np.cumsum(count)[:-1]])
    has_enough = count >= LEAST_GAPS
    low, middle, high = (_quantile(gaps, first, count, has_enough, share) for share in (0.25, 0.5, 0.75))
    spread = np.full(accounts, UNKNOWN_SPREAD)
    median = np.full(accounts, UNKNOWN_SPREAD)
    median[has_enough] = middle
    spread[has_enough] = (high - low) / np.maximum(middle, 1e-9)
    with np.errstate(invalid="ignore"):
        is_machine = (spread <= MOST_SPREAD) & (median >= SHORTEST_GAP_SECONDS) & (median <= LONGEST_GAP_SECONDS)
    account = np.flatnonzero(is_machine).astype(np.int32)
    step = np.log(median[account]) / STEP
    bucket = np.concatenate([2 * np.floor(step), 2 * np.floor(step + 0.5) - 1]).astype(np.int64)
    return Rhythms(spread, np.concatenate([account, account]), bucket)


def _gaps(columns: Columns) -> tuple[Ints, Floats]:
    """Whose gap and how long, in the order of accounts and then of length."""
    order = np.lexsort((columns.moment, columns.account))
    account, moment = columns.account[order], columns.moment[order]
    is_same = account[1:] == account[:-1]
    of_gap, gaps = account[1:][is_same], np.diff(moment)[is_same]
    order = np.lexsort((gaps, of_gap))
    return of_gap[order], gaps[order]


def _quantile(
    gaps: Floats, first: NDArray[np.int64], count: NDArray[np.int64], chosen: NDArray[np.bool_], share: float
) -> Floats:
    place = first[chosen] + np.floor(share * (count[chosen] - 1) + 0.5).astype(np.int64)
    return np.asarray(gaps[place], np.float64)


def told(bucket: int) -> str:
    """The rhythm in words."""
    middle = (bucket // 2 + 0.5) * STEP if bucket % 2 == 0 else ((bucket + 1) // 2) * STEP
    return f"every {np.exp(middle):.2g} s"
