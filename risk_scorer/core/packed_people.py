"""Walks a MessagePack map from texts to values of any size, entry by entry, without taking it apart.

Source: the MessagePack specification. What is no such map is found out before the first entry is given.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

AT_ONCE = 10_000
"""Entries that are found together."""
BROKEN = -1


class NotPacked(Exception):
    """The bytes are no map from texts to values, or there is something after it."""


def entries(stored: Any) -> Iterator[tuple[str, bytes]]:
    """Each key with the bytes of its value, from an object whose bytes can be seen. Raises NotPacked."""
    content = np.frombuffer(stored, np.uint8)
    size, start = _head(content)
    _require_sound(content, size, start)
    return _entries(stored, content, size, start)


def _entries(stored: Any, content: NDArray[np.uint8], size: int, start: int) -> Iterator[tuple[str, bytes]]:
    found = np.empty((AT_ONCE, 3), np.int64)
    for first in range(0, size, AT_ONCE):
        some = found[: min(AT_ONCE, size - first)]
        after = _walk(content, start, some)
        for key, value, end in some.tolist():
            yield bytes(stored[key:value]).decode(), bytes(stored[value:end])
        start = after


def _require_sound(content: NDArray[np.uint8], size: int, start: int) -> None:
    found = np.empty((AT_ONCE, 3), np.int64)
    for first in range(0, size, AT_ONCE):
        start = _walk(content, start, found[: min(AT_ONCE, size - first)])
        if start == BROKEN:
            raise NotPacked
    if start != len(content):
        raise NotPacked


def _head(content: NDArray[np.uint8]) -> tuple[int, int]:
    """How many entries there are, and where the first begins."""
    if not len(content):
        raise NotPacked
    tag = int(content[0])
    if tag & 0xF0 == 0x80:
        return tag & 0x0F, 1
    width = {0xDE: 2, 0xDF: 4}.get(tag, 0)
    if not width or len(content) < 1 + width:
        raise NotPacked
    return int.from_bytes(content[1 : 1 + width].tobytes()), 1 + width


@njit(cache=True, nogil=True)
def _walk(content: Any, at: int, found: Any) -> int:
    """Where each of the next entries has its key, its value and its end; returns where the next one begins."""
    for entry in range(found.shape[0]):
        key = _text(content, at)
        if key < 0:
            return -1
        found[entry, 0] = key
        value = _after(content, at)
        if value < 0:
            return -1
        end = _after(content, value)
        if end < 0:
            return -1
        found[entry, 1] = value
        found[entry, 2] = end
        at = end
    return at


@njit(cache=True, nogil=True)
def _text(content: Any, at: int) -> int:
    """Where the bytes of a text begin."""
    if at >= content.shape[0]:
        return -1
    tag = content[at]
    if tag & 0xE0 == 0xA0:
        return at + 1
    return at + 1 + (1 << (tag - 0xD9)) if 0xD9 <= tag <= 0xDB else -1


@njit(cache=True, nogil=True)
def _number(content: Any, at: int, width: int) -> int:
    value = np.int64(0)
    for place in range(width):
        value = (value << 8) | np.int64(content[at + place])
    return int(value)


@njit(cache=True, nogil=True)
def _after(content: Any, at: int) -> int:
    """Where the value that begins there ends, whatever is in it; below 0 where it does not."""
    left = 1
    while left > 0:
        if at >= content.shape[0]:
            return -1
        tag = int(content[at])
        width, more, size, items = 0, 0, 0, 0
        if tag <= 0x7F or tag >= 0xE0 or tag in (0xC0, 0xC2, 0xC3):
            pass
        elif tag <= 0x8F:
            items = 2 * (tag & 0x0F)
        elif tag <= 0x9F:
            items = tag & 0x0F
        elif tag <= 0xBF:
            size = tag & 0x1F
        elif 0xC4 <= tag <= 0xC6:
            width = 1 << (tag - 0xC4)
        elif tag in (0xCA, 0xCB):
            size = 4 << (tag - 0xCA)
        elif 0xCC <= tag <= 0xD3:
            size = 1 << ((tag - 0xCC) % 4)
        elif 0xD9 <= tag <= 0xDB:
            width = 1 << (tag - 0xD9)
        elif 0xDC <= tag <= 0xDF:
            width = 2 << (tag & 1)
            more = 1 + (tag >= 0xDE)
        else:
            return -1
        at += 1
        if at + width > content.shape[0]:
            return -1
        length = _number(content, at, width)
        at += width + size
        if more:
            items = more * length
        else:
            at += length
        if at > content.shape[0] or items > content.shape[0]:
            return -1
        left += items - 1
    return at
