"""A column of numbers that grows batch by batch, in one piece of memory; one value all over takes no room."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST = 1 << 20


class Growing:
    """What was added so far, end to end. Room that was never written to is not taken from the system."""

    def __init__(self) -> None:
        self._rows = 0
        self._constant: NDArray[Any] | None = None
        self._room: NDArray[Any] | None = None

    def add(self, values: NDArray[Any]) -> None:
        """The next rows; a constant column is told by its stride of 0."""
        rows = self._rows + len(values)
        if self._room is None and len(values):
            is_constant = values.strides == (0,)
            if is_constant and (self._constant is None or str(values[0]) == str(self._constant[0])):
                self._constant, self._rows = values[:1], rows
                return
            self._room = np.empty(max(_LEAST, 2 * rows), values.dtype)
            if self._constant is not None:
                self._room[: self._rows] = self._constant[0]
        if self._room is not None:
            if len(self._room) < rows:
                longer = np.empty(2 * rows, self._room.dtype)
                longer[: self._rows] = self._room[: self._rows]
                self._room = longer
            self._room[self._rows : rows] = values
        self._rows = rows

    def array(self) -> NDArray[Any]:
        """All of it."""
        if self._room is not None:
            return self._room[: self._rows]
        constant = np.zeros(1) if self._constant is None else self._constant
        return np.broadcast_to(constant, (self._rows,))
