"""The distinct texts of a column, each known by a number from 0 on; text 0 is "" in every column.

A hundred million rows repeat ten million addresses: these are kept once, as bytes, and found without a Python object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute
from numba import njit
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

_FREE = -1
_LEAST_SLOTS = 1024


class Texts:
    """Texts in the order they came in. Equal texts get the same number; nothing is ever forgotten."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._count = 0
        self._bytes = np.empty(1 << 12, np.uint8)
        self._ends = np.zeros(1 << 8, np.int64)  # entry i+1 is where text i ends
        self._hashes = np.empty(1 << 8, np.uint64)
        self._slots = np.full(_LEAST_SLOTS, _FREE, np.int32)
        self.coded_all(["", *texts])

    def __len__(self) -> int:
        return self._count

    def coded(self, column: Any) -> Codes:
        """(n,) the numbers of an Arrow text column's values; those that are new get the next ones, in their order."""
        if not pyarrow.types.is_string(column.type):
            column = column.cast(pyarrow.string())
        codes = np.empty(len(column), np.int32)
        if not len(column):
            return codes
        ends, content = _buffers(column)
        self._make_room(len(column), int(ends[-1] - ends[0]))
        self._count = int(_code(ends, content, self._bytes, self._ends, self._hashes, self._slots, self._count, codes))
        return codes

    def coded_all(self, texts: list[str]) -> Codes:
        """The same for a list."""
        return self.coded(pyarrow.array(texts, pyarrow.string()))

    def code(self, text: str) -> int:
        """The number of a text, which is now known."""
        return int(self.coded_all([text])[0])

    def text(self, code: int) -> str:
        """The text of that number."""
        return self._bytes[self._ends[code] : self._ends[code + 1]].tobytes().decode()

    def texts(self, codes: Iterable[int]) -> Iterator[str]:
        """The text of each number."""
        return map(self.text, codes)

    def objects(self) -> NDArray[np.object_]:
        """All texts as `str`."""
        found = np.empty(self._count, object)
        found[:] = self.arrow().to_pylist()
        return found

    def arrow(self) -> Any:
        """All texts as an Arrow array; its bytes are ours."""
        ends, content = self.raw()
        return pyarrow.LargeStringArray.from_buffers(self._count, pyarrow.py_buffer(ends), pyarrow.py_buffer(content))

    def raw(self) -> tuple[Places, Bytes]:
        """(count + 1,) where texts begin and end, and the bytes of all, as UTF-8."""
        return self._ends[: self._count + 1], self._bytes[: self._ends[self._count]]

    def in_order(self) -> Places:
        """The numbers in the order of their texts' bytes, which is that of Python's `sorted`."""
        order: Places = pyarrow.compute.sort_indices(self.arrow().cast(pyarrow.large_binary())).to_numpy()
        return order.astype(np.int64)

    def _make_room(self, more: int, content: int) -> None:
        """For as many texts and bytes as a column may bring."""
        count, used = self._count, int(self._ends[self._count])
        if len(self._hashes) <= count + more:
            self._hashes = _longer(self._hashes, count, 2 * (count + more))
            self._ends = _longer(self._ends, count + 1, 2 * (count + more) + 1)
        if len(self._bytes) < used + content:
            self._bytes = _longer(self._bytes, used, 3 * (used + content) // 2)
        if len(self._slots) < 2 * (count + more):
            slots = 1 << int(3 * (count + more)).bit_length()
            self._slots = np.full(slots, _FREE, np.int32)
            _place(self._hashes[:count], self._slots)


def _buffers(column: Any) -> tuple[NDArray[np.int32], Bytes]:
    """Where the column's texts begin and end, and their bytes. Raises ValueError for a missing one."""
    if column.null_count:
        raise ValueError("a text column has a missing value")
    _, ends, content = column.buffers()
    found = np.frombuffer(ends, np.int32)[column.offset : column.offset + len(column) + 1]
    return found, np.empty(0, np.uint8) if content is None else np.frombuffer(content, np.uint8)


def _longer(array: NDArray[Any], kept: int, length: int) -> NDArray[Any]:
    longer = np.empty(length, array.dtype)
    longer[:kept] = array[:kept]
    return longer


@njit(cache=True, nogil=True)
def _code(ends: Any, content: Any, known: Any, known_ends: Any, hashes: Any, slots: Any, count: int, codes: Any) -> int:
    """Numbers each text, adds the new ones; returns how many there are now. Room for all was made before."""
    mask = slots.shape[0] - 1
    for row in range(codes.shape[0]):
        start, size = ends[row], ends[row + 1] - ends[row]
        digest = np.uint64(14695981039346656037)
        for at in range(size):
            digest = (digest ^ np.uint64(content[start + at])) * np.uint64(1099511628211)
        digest ^= digest >> np.uint64(29)
        slot = np.int64(digest & np.uint64(mask))
        while True:
            code = slots[slot]
            if code < 0:
                begin = known_ends[count]
                for at in range(size):
                    known[begin + at] = content[start + at]
                known_ends[count + 1] = begin + size
                hashes[count] = digest
                slots[slot] = count
                code = count
                count += 1
                break
            begin = known_ends[code]
            if hashes[code] == digest and known_ends[code + 1] - begin == size:
                same = True
                for at in range(size):
                    if known[begin + at] != content[start + at]:
                        same = False
                        break
                if same:
                    break
            slot = (slot + 1) & mask
        codes[row] = code
    return count


@njit(cache=True, nogil=True)
def _place(hashes: Any, slots: Any) -> None:
    mask = slots.shape[0] - 1
    for code in range(hashes.shape[0]):
        slot = np.int64(hashes[code] & np.uint64(mask))
        while slots[slot] >= 0:
            slot = (slot + 1) & mask
        slots[slot] = code
