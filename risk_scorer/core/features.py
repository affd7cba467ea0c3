"""The numbers that the forest sees, their names and their order: one piece of code for training, single and bulk."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.encoders import COUNTED
from risk_scorer.core.places import distances_km
from risk_scorer.core.signals import PLACE
from risk_scorer.core.travel import speeds_kmh

Matrix = NDArray[np.float64]

RARE = ("ip", "asn", "country", "device", "ua", "browser", "os", "ja4", "ja4h", "ja4s")
NOVEL = ("device", "prefix", "asn", "country", "browser", "os", "ja4")

FEATURES = (
    "hour", "day_of_week", "success", "user_freq", "known_logins",
    *(f"{name}_rarity" for name in RARE),
    *(f"{name}_novelty" for name in NOVEL),
    "ip_rep", "geo_distance", "ja4_valid", "ja4_contradicts_browser",
    "gap", "place_distance", "speed", "recent_failures", "network_people_failing",
)  # fmt: skip
"""Every feature there is, in order. A model declares which of them its log could fill."""

_AGENT, _PLACES = "user_agent", "ip_facts"
COLUMN_OF_ATTRIBUTE = {
    "ip": "ip", "prefix": "ip", "asn": "asn", "country": "country", "device": "device_id", "ua": _AGENT,
    "browser": _AGENT, "browser_version": _AGENT, "os": _AGENT, "device_type": _AGENT,
    "ja4": "ja4", "ja4h": "ja4h", "ja4s": "ja4s", "user": "user_id",
}  # fmt: skip
"""The column of a log that an attribute is read from."""

COLUMN_OF_FEATURE = {
    "hour": "hour", "day_of_week": "day_of_week", "success": "success", "user_freq": "user_id",
    "known_logins": "user_id",
    **{f"{name}_rarity": COLUMN_OF_ATTRIBUTE[name] for name in RARE},
    **{f"{name}_novelty": COLUMN_OF_ATTRIBUTE[name] for name in NOVEL},
    "ip_rep": "ip_rep", "geo_distance": _PLACES, "ja4_valid": "ja4", "ja4_contradicts_browser": "ja4",
    "gap": "user_id", "place_distance": _PLACES, "speed": _PLACES, "recent_failures": "success",
    "network_people_failing": "success",
}  # fmt: skip
"""What a log must have for a feature to be declared."""

ENOUGH_LOGINS = 20  # past it, one more login in the log says nothing about this one
_SHARE = np.array([COUNTED.index(name) for name in RARE])
_SEEN = np.array([PLACE[f"seen_{name}"] for name in NOVEL])
_VECTOR = np.array([PLACE[name] for name in ("placed", "east", "north", "up")])
_AT = np.array(
    [
        PLACE[name]
        for name in (
            "ts", "success", "logins", "count_user", "ip_rep", "ja4_parses", "ja4_contradicts",
            "gap", "place_km", "heat", "network_people",
        )
    ]
)  # fmt: skip
# Where columns lie is given to the kernels as arguments: a compiled kernel is kept on disk by the date of its own file
# alone, and would go on reading the old places after another file had moved them.
WIDTH = len(FEATURES) + 1
DISTANCE = len(FEATURES)
"""One more column than features: the distance in km as it was measured, NaN when unknown, for people to read."""


@dataclass(frozen=True, slots=True)
class Scales:
    """What logins are measured against: `total` logins, `kinds` (14,) distinct values, km for an unknown place."""

    total: float
    kinds: Matrix
    unknown_km: float


def compute(signals: Matrix, shares: Matrix, scales: Scales) -> Matrix:
    """(n, WIDTH) features of (n, len(COLUMNS)) signals and their (n, 14) shares; every feature is finite."""
    home_latitude, home_longitude = np.empty(len(signals)), np.empty(len(signals))
    _usual_places(signals, _VECTOR, home_latitude, home_longitude)
    latitude = np.ascontiguousarray(signals[:, PLACE["latitude"]])
    longitude = np.ascontiguousarray(signals[:, PLACE["longitude"]])
    distance = distances_km(latitude, longitude, home_latitude, home_longitude)
    out = np.empty((len(signals), WIDTH))
    _fill(signals, shares, (distance, speeds_kmh(signals)), scales.unknown_km, _AT, _SHARE, _SEEN, out)
    return out


def places(names: Sequence[str]) -> NDArray[np.int64]:
    """Columns of these features in a full matrix. Raises ValueError for a name that is none."""
    return np.array([FEATURES.index(name) for name in names], dtype=np.int64)


@njit(cache=True, nogil=True)
def _usual_places(signals: Any, vector: Any, latitude: Any, longitude: Any) -> None:
    """`history.usual_place` for every row; NaN where it is None."""
    for row in range(signals.shape[0]):
        placed, east = signals[row, vector[0]], signals[row, vector[1]]
        north, up = signals[row, vector[2]], signals[row, vector[3]]
        length = math.sqrt(east * east + north * north + up * up)
        if placed == 0.0 or length < 1e-6 * placed:
            latitude[row] = longitude[row] = math.nan
        else:
            latitude[row] = math.degrees(math.asin(max(-1.0, min(1.0, up / length))))
            longitude[row] = math.degrees(math.atan2(north, east))


@njit(cache=True, nogil=True)
def _fill(signals: Any, shares: Any, measured: Any, unknown_km: float, at: Any, rare: Any, seen: Any, out: Any) -> None:
    distance, speed = measured
    novel = 5 + rare.shape[0]
    tail = novel + seen.shape[0]
    for row in range(signals.shape[0]):
        seconds = signals[row, at[0]]
        out[row, 0] = math.floor(seconds / 3600.0) % 24
        out[row, 1] = (math.floor(seconds / 86400.0) + 3) % 7  # 1970-01-01 was a Thursday, Monday is 0
        out[row, 2] = signals[row, at[1]]
        logins = signals[row, at[2]]
        out[row, 3] = math.log1p(min(signals[row, at[3]], ENOUGH_LOGINS))
        out[row, 4] = math.log1p(min(logins, ENOUGH_LOGINS))
        for place in range(rare.shape[0]):
            out[row, 5 + place] = -math.log(shares[row, rare[place]])
        for place in range(seen.shape[0]):  # 0 without history: nothing is new to nobody
            out[row, novel + place] = math.log((logins + 1.0) / (signals[row, seen[place]] + 1.0))
        out[row, tail] = signals[row, at[4]]
        far = distance[row]
        out[row, tail + 1] = math.log1p(unknown_km if math.isnan(far) else far)
        out[row, tail + 2] = signals[row, at[5]]
        out[row, tail + 3] = signals[row, at[6]]
        gap, beyond, pace = signals[row, at[7]], signals[row, at[8]], speed[row]
        out[row, tail + 4] = 0.0 if math.isnan(gap) else math.log1p(max(gap, 0.0))
        out[row, tail + 5] = math.log1p(unknown_km if math.isnan(beyond) else beyond)
        out[row, tail + 6] = 0.0 if math.isnan(pace) else math.log1p(pace)  # what is unknown is not impossible
        out[row, tail + 7] = math.log1p(signals[row, at[9]])
        out[row, tail + 8] = math.log1p(signals[row, at[10]])
        out[row, tail + 9] = far
