"""Rows of a stream of unknown length, evenly thinned to a bounded number; the same stream gives the same rows."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

MOST_ROWS: Final = 40_000


class Thinned:
    """Every row while there are few, then every second one, every fourth, and so on."""

    def __init__(self, width: int, most: int = MOST_ROWS) -> None:
        self._most = most
        self._stride, self._skip = 1, 0
        self._parts: list[Matrix] = [np.empty((0, width))]
        self._held = 0

    def add(self, rows: Matrix) -> None:
        """Take these rows, or some of them."""
        taken = rows[self._skip :: self._stride]
        self._skip = (self._skip - len(rows)) % self._stride
        self._parts.append(taken)
        self._held += len(taken)
        while self._held > self._most:
            rest = self.rows[::2]
            # The next row to take is as far from the last one that is kept as all others are from each other.
            self._skip += self._stride * (self._held % 2)
            self._stride *= 2
            self._parts, self._held = [rest], len(rest)

    @property
    def rows(self) -> Matrix:
        """What is held, in order."""
        return np.concatenate(self._parts)
