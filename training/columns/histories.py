"""Every person's history from a coded log: what `history.learn` makes of their logins, in arrays instead of objects.

The rules are those of `risk_scorer.core.history`, row by row in time order; a test holds both to the same bytes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from risk_scorer.core.clusters import _FADE, _REACH, MOST_CLUSTERS
from risk_scorer.core.history import _COOLING, ENOUGH_GAPS, ENOUGH_HOURS, MOST_VALUES, SECONDS_BITS

LEARNED = (
    "device", "ip", "prefix", "asn", "country", "device_type", "os", "browser", "browser_version",
    "ja4", "ja4h", "ja4s", "place", "zone",
)  # fmt: skip
"""What a history keeps values of, in the order of its fields."""
NETWORK = np.array([name in ("ip", "prefix", "asn") for name in LEARNED])
PLACE, ZONE = LEARNED.index("place"), LEARNED.index("zone")
COUNTS = 12
"""logins, failures, failures_since_success, first_seen, last_seen, last_failure, placed, home, home_offset_s, gaps,
heat_at, clusters."""
SUMS = 5
"""east, north, up, gap_log, heat."""
_RULES = (float(_COOLING), float(_FADE), float(_REACH), ENOUGH_GAPS, ENOUGH_HOURS, MOST_CLUSTERS, MOST_VALUES)


class State:
    """One person's history while it grows: small arrays that are used again for the next one."""

    def __init__(self) -> None:
        self.counts = np.zeros(COUNTS, np.int64)
        self.sums = np.zeros(SUMS)
        self.hours = np.zeros(24, np.int64)
        self.values = np.zeros((len(LEARNED), MOST_VALUES + 1), np.int32)
        self.packed = np.zeros((len(LEARNED), MOST_VALUES + 1), np.int64)
        self.sizes = np.zeros(len(LEARNED), np.int64)
        self.clusters = np.zeros((MOST_CLUSTERS + 1, 5))
        self.last_place = np.zeros(5)

    def arrays(self) -> tuple[Any, ...]:
        """What the kernels change."""
        return (
            self.counts, self.sums, self.hours, self.values, self.packed, self.sizes, self.clusters, self.last_place
        )  # fmt: skip


@njit(cache=True, nogil=True)
def clear(state: Any) -> None:
    """Nobody's history."""
    counts, sums, hours, _, _, sizes, _, last = state
    counts[:] = 0
    sums[:] = 0.0
    hours[:] = 0
    sizes[:] = 0
    last[4] = -1.0  # no last place


@njit(cache=True, nogil=True)
def learn(state: Any, row: int, columns: Any, places: Any, network: Any, rules: Any) -> None:
    """One login more. `columns` hold a chunk's logins, `places` the distinct places."""
    counts, sums, hours, values, packed, sizes, _clusters, _last = state
    second_of, success, somebodys, shared, offset_of, place_of, accuracy, codes = columns
    cooling, _, _, enough_gaps, enough_hours, _, most = rules
    second = second_of[row]
    if not success[row]:
        _fail(counts, sums, second, cooling)
        return
    is_own = somebodys[row]
    zones = codes.shape[0] - 1
    old_gap(counts, sums, second, enough_gaps)
    counts[3] = min(counts[3] if counts[3] != 0 else second, second)
    counts[4] = max(counts[4], second)
    counts[0] += 1
    counts[2] = 0
    for level in range(zones - 1):
        if is_own or not network[level]:
            _see(values[level], packed[level], sizes, level, codes[level, row], second, most)
    place = place_of[row]
    if place >= 0:
        _locate(state, place, second, is_own, shared[row], accuracy[row], places, rules)
        _see(values[zones - 1], packed[zones - 1], sizes, zones - 1, codes[zones - 1, row], second, most)
    zone = codes[zones, row]
    if is_own and zone != 0:
        _see(values[zones], packed[zones], sizes, zones, zone, second, most)
    _settle(counts, hours, values[zones], packed[zones], sizes[zones], zone, offset_of[row])
    _count_hour(hours, (second + counts[8]) // 3600 % 24, enough_hours)


@njit(cache=True, nogil=True)
def _fail(counts: Any, sums: Any, second: int, cooling: float) -> None:
    at = max(counts[10], second)
    heat = sums[4] * math.exp(cooling * max(0.0, float(at - counts[10]))) if sums[4] != 0.0 else 0.0
    sums[4] = heat + math.exp(cooling * (at - second))
    counts[10] = at
    counts[1] += 1
    counts[2] += 1
    counts[5] = max(counts[5], second)


@njit(cache=True, nogil=True)
def old_gap(counts: Any, sums: Any, second: int, enough: int) -> None:
    """The mean logarithm of the pauses, as of before this login counts."""
    if counts[0] == 0 or second < counts[4]:
        return
    log = math.log(float(max(1, second - counts[4])))
    sums[3] = sums[3] + (log - sums[3]) / min(counts[9] + 1, enough)
    counts[9] += 1


@njit(cache=True, nogil=True)
def _see(values: Any, packed: Any, sizes: Any, level: int, value: int, second: int, most: int) -> None:
    """The value becomes the most recent one; beyond `most` the first leaves."""
    size = sizes[level]
    known = np.int64(0)
    at = size
    for place in range(size):
        if values[place] == value:
            known, at = packed[place], place
            break
    last = known & 0xFFFFFFFF
    if at < size:
        for place in range(at, size - 1):
            values[place], packed[place] = values[place + 1], packed[place + 1]
        size -= 1
    values[size] = value
    packed[size] = known + (np.int64(1) << 32) + (second - last if second > last else 0)
    size += 1
    if size > most:
        for place in range(size - 1):
            values[place], packed[place] = values[place + 1], packed[place + 1]
        size -= 1
    sizes[level] = size


@njit(cache=True, nogil=True)
def _logins_with(values: Any, packed: Any, size: int, value: int) -> int:
    for place in range(size):
        if values[place] == value:
            return int(packed[place] >> 32)
    return 0


@njit(cache=True, nogil=True)
def _settle(counts: Any, hours: Any, values: Any, packed: Any, size: int, zone: int, offset: int) -> None:
    """The home zone after this login, and the hours as its clocks tell them."""
    home = counts[7]
    if zone == home:
        counts[8] = offset if zone != 0 else 0
        return
    if _logins_with(values, packed, size, zone) <= _logins_with(values, packed, size, home):
        return
    turn = int(np.rint(-(offset - counts[8]) / 3600)) % 24
    before = hours.copy()
    for hour in range(24):
        hours[hour] = before[(hour + turn) % 24]
    counts[7], counts[8] = zone, offset


@njit(cache=True, nogil=True)
def _count_hour(hours: Any, hour: int, enough: int) -> None:
    hours[hour] += 1
    if hours.sum() > enough:
        for place in range(24):
            hours[place] = (hours[place] + 1) // 2


@njit(cache=True, nogil=True)
def _locate(
    state: Any, place: int, second: int, is_own: bool, is_shared: bool, accuracy: float, places: Any, rules: Any
) -> None:
    counts, sums, _, _, _, _, clusters, last = state
    latitude, longitude, vector = places
    sums[0] += vector[place, 0]
    sums[1] += vector[place, 1]
    sums[2] += vector[place, 2]
    counts[6] += 1
    if not is_own:
        return
    counts[11] = _cluster(clusters, counts[11], vector[place], second, rules)
    if last[4] >= 0.0 and (second < last[3] or (is_shared and last[4] == 0.0)):
        return
    last[0], last[1], last[2], last[3] = latitude[place], longitude[place], accuracy, second
    last[4] = 1.0 if is_shared else 0.0


@njit(cache=True, nogil=True)
def _cluster(clusters: Any, size: int, place: Any, second: int, rules: Any) -> int:
    """`clusters.with_place`; returns how many clusters there are now."""
    _, fade, reach, _, _, most, _ = rules
    at, cosine = -1, -math.inf
    for number in range(size):
        angle = clusters[number, 0] * place[0] + clusters[number, 1] * place[1] + clusters[number, 2] * place[2]
        if angle > cosine:
            at, cosine = number, angle
    if cosine < reach:
        if size >= most:
            lightest, least = 0, math.inf
            for number in range(size):
                weight = math.log(clusters[number, 3]) - fade * clusters[number, 4]
                if weight < least:
                    lightest, least = number, weight
            size = _closed_up(clusters, lightest, size)
        clusters[size, :3] = place
        clusters[size, 3], clusters[size, 4] = 1.0, second
        return size + 1
    east, north, up, weight, last = clusters[at]
    newest = max(float(second), last)
    old, new = weight * math.exp(fade * (newest - last)), math.exp(fade * (newest - second))
    size = _closed_up(clusters, at, size)
    x, y, z = east * old + place[0] * new, north * old + place[1] * new, up * old + place[2] * new
    length = math.sqrt(x * x + y * y + z * z)
    if length > 0.0:
        x, y, z = x / length, y / length, z / length
    else:
        x, y, z = east, north, up
    clusters[size, 0], clusters[size, 1], clusters[size, 2] = x, y, z
    clusters[size, 3], clusters[size, 4] = old + new, newest
    return size + 1


@njit(cache=True, nogil=True)
def _closed_up(clusters: Any, gone: int, size: int) -> int:
    for number in range(gone, size - 1):
        clusters[number] = clusters[number + 1]
    return size - 1


def rules() -> tuple[Any, ...]:
    """The numbers of `history` and `clusters` that the kernels go by."""
    return _RULES


assert SECONDS_BITS == 32  # noqa: S101 the kernels shift by it
