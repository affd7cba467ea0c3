"""A history's state as MessagePack, the same bytes as `history.encode` writes.

Source: the MessagePack specification; integers in their shortest form, floats in 64 bits, as msgspec writes them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from risk_scorer.core.history import UserHistory
from training.columns.histories import LEARNED, clear, learn

FIELDS = len(UserHistory.__struct_fields__)
"""The last two of which (what operators said) training leaves empty."""
ROOM_BESIDE_TEXTS = 3 * 24 + 60 * 9 + 8 * 50
"""Bytes that a person's numbers take at the most."""


@njit(cache=True, nogil=True)
def write_people(
    people: Any, bounds: Any, order: Any, state: Any, columns: Any, places: Any, network: Any, rules: Any,
    texts: Any, users: Any, out: Any, sizes: Any,
) -> int:  # fmt: skip
    """Learns and writes people one after the other; returns how many fitted into `out`.

    The logins of person i of the chunk are `order[bounds[i] : bounds[i + 1]]`. `sizes` gets the bytes after each.
    """
    at = 0
    for person in range(people.shape[0]):
        clear(state)
        for row in range(bounds[person], bounds[person + 1]):
            learn(state, order[row], columns, places, network, rules)
        if at + _most_bytes(state, texts) + users[0][people[person] + 1] - users[0][people[person]] > out.shape[0]:
            return person
        at = _text(out, at, users, people[person])
        at = _history(out, at, state, texts)
        sizes[person] = at
    return int(people.shape[0])


@njit(cache=True, nogil=True)
def logins_of(bounds: Any, order: Any, success: Any, logins: Any) -> None:
    """How many of each person's rows succeeded."""
    for person in range(logins.shape[0]):
        for row in range(bounds[person], bounds[person + 1]):
            logins[person] += success[order[row]]


@njit(cache=True, nogil=True)
def _most_bytes(state: Any, texts: Any) -> int:
    values, sizes = state[3], state[5]
    most = ROOM_BESIDE_TEXTS + 10
    for level in range(values.shape[0]):
        ends = texts[level][0]
        for place in range(sizes[level]):
            most += ends[values[level, place] + 1] - ends[values[level, place]] + 14
    return most


@njit(cache=True, nogil=True)
def _history(out: Any, at: int, state: Any, texts: Any) -> int:
    counts, sums, hours, values, packed, sizes, clusters, last = state
    levels = values.shape[0]
    out[at], out[at + 1], out[at + 2] = 0xDC, 0, FIELDS
    at += 3
    for place in range(6):
        at = _integer(out, at, counts[place])
    at = _head(out, at, 24, 0x90, 0xDC)
    for hour in range(24):
        at = _integer(out, at, hours[hour])
    at = _integer(out, at, counts[6])
    for place in range(3):
        at = _float(out, at, sums[place])
    for level in range(levels):
        at = _seen(out, at, values[level], packed[level], sizes[level], texts[level])
    at = _text(out, at, texts[levels - 1], counts[7])
    at = _integer(out, at, counts[8])
    at = _head(out, at, counts[11], 0x90, 0xDC)
    for cluster in range(counts[11]):
        at = _head(out, at, 5, 0x90, 0xDC)
        for place in range(4):
            at = _float(out, at, clusters[cluster, place])
        at = _integer(out, at, int(clusters[cluster, 4]))
    at = _last_place(out, at, last)
    at = _float(out, at, sums[3])
    at = _integer(out, at, counts[9])
    at = _float(out, at, sums[4])
    at = _integer(out, at, counts[10])
    out[at], out[at + 1] = 0x80, 0x80
    return at + 2


@njit(cache=True, nogil=True)
def _last_place(out: Any, at: int, last: Any) -> int:
    if last[4] < 0.0:
        out[at] = 0xC0
        return at + 1
    at = _head(out, at, 5, 0x90, 0xDC)
    for place in range(3):
        at = _float(out, at, last[place])
    at = _integer(out, at, int(last[3]))
    out[at] = 0xC3 if last[4] > 0.0 else 0xC2
    return at + 1


@njit(cache=True, nogil=True)
def _seen(out: Any, at: int, values: Any, packed: Any, size: int, texts: Any) -> int:
    at = _head(out, at, size, 0x80, 0xDE)
    for place in range(size):
        at = _text(out, at, texts, values[place])
        at = _integer(out, at, packed[place])
    return at


@njit(cache=True, nogil=True)
def _head(out: Any, at: int, size: int, short: int, long: int) -> int:
    if size < 16:
        out[at] = short | size
        return at + 1
    out[at] = long
    return _big_endian(out, at + 1, size, 2)


@njit(cache=True, nogil=True)
def _text(out: Any, at: int, texts: Any, code: int) -> int:
    ends, content = texts
    start = ends[code]
    size = ends[code + 1] - start
    if size < 32:
        out[at] = 0xA0 | size
        at += 1
    elif size < 256:
        out[at] = 0xD9
        at = _big_endian(out, at + 1, size, 1)
    else:
        out[at] = 0xDA
        at = _big_endian(out, at + 1, size, 2)
    for place in range(size):
        out[at + place] = content[start + place]
    return int(at + size)


@njit(cache=True, nogil=True)
def _integer(out: Any, at: int, value: int) -> int:
    if value < 0:
        return _negative(out, at, value)
    if value < 0x80:
        out[at] = value
        return at + 1
    for power in range(4):
        size = 1 << power
        if size == 8 or value < (np.int64(1) << (8 * size)):
            out[at] = 0xCC + power
            return _big_endian(out, at + 1, value, size)
    return at


@njit(cache=True, nogil=True)
def _negative(out: Any, at: int, value: int) -> int:
    if value >= -32:
        out[at] = value & 0xFF
        return at + 1
    for power in range(4):
        size = 1 << power
        if size == 8 or value >= -(np.int64(1) << (8 * size - 1)):
            out[at] = 0xD0 + power
            return _big_endian(out, at + 1, value, size)
    return at


@njit(cache=True, nogil=True)
def _big_endian(out: Any, at: int, value: int, size: int) -> int:
    for place in range(size):
        out[at + place] = (value >> (8 * (size - 1 - place))) & 0xFF
    return at + size


@njit(cache=True, nogil=True)
def _float(out: Any, at: int, value: float) -> int:
    bits = np.array([value]).view(np.int64)[0]
    out[at] = 0xCB
    return _big_endian(out, at + 1, bits, 8)


assert len(LEARNED) == 14  # noqa: S101 the fields of a history that are written in a row
