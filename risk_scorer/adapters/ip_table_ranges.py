"""Address ranges as sorted columns: every address of a family belongs to exactly one row.

IPv4 counts addresses (32 bits), IPv6 counts /64 networks (the upper 64 bits): what a registry or a geolocation says
below a /64 is about one customer's own network.
"""

from array import array
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Wide = NDArray[np.uint64]
Values = NDArray[np.uint32]
UNKNOWN = 0
"""The value of addresses that no range covers."""
TOP = {4: 2**32 - 1, 6: 2**64 - 1}
STARTS_DTYPE: dict[int, type[np.unsignedinteger[Any]]] = {4: np.uint32, 6: np.uint64}


class Ranges(NamedTuple):
    """Row i covers the addresses from starts[i] up to starts[i + 1]; starts[0] is 0."""

    starts: NDArray[np.unsignedinteger[Any]]
    values: Values


class Gathered:
    """Ranges as a source lists them, kept small: sixteen million of them fit in memory."""

    def __init__(self, version: int) -> None:
        self._version = version
        self._shift = 64 if version == 6 else 0
        self._firsts, self._lasts, self._values = array("Q"), array("Q"), array("I")

    def add(self, first: int, last: int, value: int) -> None:
        """The addresses first to last, both included, have this value."""
        self._firsts.append(first >> self._shift)
        self._lasts.append(last >> self._shift)
        self._values.append(value)

    def __len__(self) -> int:
        return len(self._values)

    def flattened(self, new_values: Values) -> Ranges:
        """One row for each stretch of equal values, where `new_values[old]` is what a value is now called."""
        values = new_values[np.array(self._values, dtype=np.uint32)]
        firsts, lasts = np.array(self._firsts, dtype=np.uint64), np.array(self._lasts, dtype=np.uint64)
        return _flattened(firsts, lasts, values, self._version)


def _flattened(firsts: Wide, lasts: Wide, values: Values, version: int) -> Ranges:
    """Sorted, the widest of equal starts kept, holes filled with UNKNOWN, equal neighbours merged."""
    order = np.lexsort((~lasts, firsts))
    firsts, lasts, values = firsts[order], lasts[order], values[order]
    kept = np.ones(firsts.shape, dtype=bool)
    kept[1:] = firsts[1:] != firsts[:-1]
    firsts, lasts, values = firsts[kept], lasts[kept], values[kept]
    lasts[:-1] = np.minimum(lasts[:-1], firsts[1:] - np.uint64(1))
    starts, values = _with_holes(firsts, lasts, values, TOP[version])
    changes = np.ones(values.shape, dtype=bool)
    changes[1:] = values[1:] != values[:-1]
    return Ranges(starts[changes].astype(STARTS_DTYPE[version]), values[changes])


def _with_holes(firsts: Wide, lasts: Wide, values: Values, top: int) -> tuple[Wide, Values]:
    """The rows plus a row of UNKNOWN before the first, after the last and wherever two do not touch."""
    zero = np.zeros(1, dtype=np.uint64)
    if firsts.shape[0] == 0:
        return zero, np.zeros(1, dtype=np.uint32)
    loose = lasts[:-1] + np.uint64(1) != firsts[1:]
    holes = [lasts[:-1][loose] + np.uint64(1)]
    if firsts[0] != 0:
        holes.append(zero)
    if lasts[-1] != top:
        holes.append(lasts[-1:] + np.uint64(1))
    starts = np.concatenate([firsts, *holes])
    filled = np.concatenate([values, *(np.full(hole.shape, UNKNOWN, dtype=np.uint32) for hole in holes)])
    order = np.argsort(starts, kind="stable")
    return starts[order], filled[order]
