"""How often a value was seen before each row, for all rows at once."""

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


def seen_before(codes: Codes, teaches: Flags) -> Counts:
    """For each row, how many earlier rows that teach have the same code."""
    order = np.argsort(codes, kind="stable")
    counted: Counts = np.cumsum(teaches[order]) - teaches[order]
    ranked = codes[order]
    is_first = np.concatenate([[True], ranked[1:] != ranked[:-1]])
    start = np.maximum.accumulate(np.where(is_first, np.arange(len(codes)), 0))
    before = np.empty(len(codes), np.int64)
    before[order] = counted - counted[start]
    return before


def kinds_before(codes: Codes, teaches: Flags) -> Counts:
    """For each row, how many distinct codes the earlier rows that teach have."""
    is_new = teaches & (seen_before(codes, teaches) == 0)
    kinds: Counts = np.cumsum(is_new) - is_new
    return kinds


def pairs(one: Codes, other: Codes) -> Codes:
    """One code for each pair of codes."""
    return one * (int(other.max(initial=0)) + 1) + other


def totals(codes: Codes, counted: Flags) -> Counts:
    """For each row, how many of the counted rows have the same code, whenever they came."""
    return np.bincount(codes[counted], minlength=int(codes.max(initial=0)) + 1)[codes].astype(np.int64)
