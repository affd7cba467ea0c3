"""Who acts in the rhythm of a machine: gaps between an account's events that are all about the same.

A person's gaps spread over orders of magnitude: for events that come by chance the quartiles of the gaps lie 1.6
medians apart (exponential distribution). A timer with a jitter of a tenth has them 0.1 apart.

One account alone shows it after eight events. Several that use one program show it together after four events each:
that their last gaps are even may be chance, that most of those who use the program have the same even gap is none.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from risk_scorer.core.campaigns.names import NONE
from risk_scorer.core.campaigns.sighting import JA4, USER_AGENT
from risk_scorer.core.campaigns.window import Columns, Floats, Ints

LEAST_GAPS: Final = 7
"""Of seven gaps by chance the quartiles lie as close as MOST_SPREAD in less than one of a hundred cases."""
MOST_SPREAD: Final = 0.25
SHORTEST_GAP_SECONDS: Final = 0.2
"""Below it the gaps are those of one page that loads its parts."""
LONGEST_GAP_SECONDS: Final = 6 * 3600.0
STEP: Final = 0.2
"""Rhythms whose medians differ by less than half of this (in the logarithm, so by a tenth) are surely one."""
LONGEST_MILLISECONDS: Final = 2**32 - 1
UNKNOWN_SPREAD: Final = np.nan
POOLED_GAPS: Final = 3
POOLED_SPREAD: Final = 0.15
"""The longest of the last three gaps less the shortest, in medians: of gaps by chance one triple of a hundred."""
POOLED_LONGEST_SECONDS: Final = 600.0
POOLED_ACCOUNTS: Final = 4
POOLED_SHARE: Final = 0.5
"""So many of those who use a program, and so great a share of them, have one even gap before it counts: among the
thousands who use a popular browser some always do."""


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
    account, bucket = _bucketed(account, median[account])
    early, early_bucket = _pooled(columns, is_machine)
    return Rhythms(spread, np.concatenate([account, early]), np.concatenate([bucket, early_bucket]))


def _bucketed(account: Ints, median: Floats) -> tuple[Ints, NDArray[np.int64]]:
    step = np.log(median) / STEP
    bucket = np.concatenate([2 * np.floor(step), 2 * np.floor(step + 0.5) - 1]).astype(np.int64)
    return np.concatenate([account, account]), bucket


def _pooled(columns: Columns, known: NDArray[np.bool_]) -> tuple[Ints, NDArray[np.int64]]:
    """The accounts and buckets that several of one program show together, without those `known` to be machines."""
    account, program, middle, is_even = _last_gaps(columns)
    which, bucket = _bucketed(np.flatnonzero(is_even).astype(np.int32), middle[is_even])
    groups, at = np.unique(np.column_stack([program[which], bucket]), axis=0, return_inverse=True)
    at = at.reshape(-1)
    many = np.bincount(at, minlength=len(groups))
    users = np.bincount(program, minlength=int(program.max(initial=-1)) + 1)
    counts = (many >= POOLED_ACCOUNTS) & (many >= POOLED_SHARE * users[groups[:, 0]])
    chosen = counts[at] & ~known[account[which]]
    found = np.unique(np.column_stack([account[which[chosen]], bucket[chosen]]), axis=0)
    return found[:, 0].astype(np.int32), found[:, 1]


def _last_gaps(columns: Columns) -> tuple[Ints, Ints, Floats, NDArray[np.bool_]]:
    """For each account and program with enough events: which they are, the middle one of the last gaps, and whether
    these are even."""
    ja4 = columns.signals[JA4]
    program = np.where(ja4 != NONE, ja4, columns.signals[USER_AGENT])
    rows = np.flatnonzero(program != NONE)
    rows = rows[np.argsort((columns.account[rows].astype(np.int64) << 32) | program[rows], kind="stable")]
    account, program, moment = columns.account[rows], program[rows], columns.moment[rows]
    is_last = np.ones(len(rows), np.bool_)
    is_last[:-1] = (account[1:] != account[:-1]) | (program[1:] != program[:-1])
    last = np.flatnonzero(is_last)
    last = last[last >= POOLED_GAPS]
    first = last - POOLED_GAPS
    last = last[(account[first] == account[last]) & (program[first] == program[last])]
    gaps = np.sort(np.stack([moment[last - back] - moment[last - back - 1] for back in range(POOLED_GAPS)]), axis=0)
    middle = gaps[POOLED_GAPS // 2]
    is_even = (
        (gaps[-1] - gaps[0] <= POOLED_SPREAD * middle)
        & (middle >= SHORTEST_GAP_SECONDS)
        & (middle <= POOLED_LONGEST_SECONDS)
    )
    return account[last], program[last], middle, is_even


def _gaps(columns: Columns) -> tuple[Ints, Floats]:
    """Whose gap and how long, in the order of accounts and then of length."""
    is_same = columns.account[1:] == columns.account[:-1]
    of_gap = columns.account[1:][is_same]
    milliseconds = np.minimum(np.diff(columns.moment)[is_same] * 1000.0, LONGEST_MILLISECONDS).astype(np.int64)
    both = np.sort((of_gap.astype(np.int64) << 32) | milliseconds)  # one sort of numbers, the quickest there is
    return (both >> 32).astype(np.int32), (both & LONGEST_MILLISECONDS) / 1000.0


def _quantile(
    gaps: Floats, first: NDArray[np.int64], count: NDArray[np.int64], chosen: NDArray[np.bool_], share: float
) -> Floats:
    place = first[chosen] + np.floor(share * (count[chosen] - 1) + 0.5).astype(np.int64)
    return np.asarray(gaps[place], np.float64)


def told(bucket: int) -> str:
    """The rhythm in words."""
    middle = (bucket // 2 + 0.5) * STEP if bucket % 2 == 0 else ((bucket + 1) // 2) * STEP
    return f"every {np.exp(middle):.2g} s"
