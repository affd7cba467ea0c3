"""The numbers that the forest sees, their names and their order: one piece of code for training, single and bulk."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.encoders import COUNTED, SMOOTHING
from risk_scorer.core.places import distances_km
from risk_scorer.core.signals import PLACE

Matrix = NDArray[np.float64]

RARE = ("ip", "asn", "country", "device", "ua", "browser", "os", "ja4", "ja4h", "ja4s")
NOVEL = ("device", "prefix", "asn", "country", "browser", "os", "ja4")

FEATURES = (
    "hour", "day_of_week", "success", "user_freq", "known_logins",
    *(f"{name}_rarity" for name in RARE),
    *(f"{name}_novelty" for name in NOVEL),
    "ip_rep", "geo_distance", "ja4_valid", "ja4_contradicts_browser",
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
}  # fmt: skip
"""What a log must have for a feature to be declared."""

ENOUGH_LOGINS = 20  # past it, one more login in the log says nothing about this one
_COUNT = np.array([PLACE[f"count_{name}"] for name in RARE])
_KIND = np.array([COUNTED.index(name) for name in RARE])
_SEEN = np.array([PLACE[f"seen_{name}"] for name in NOVEL])
_TAIL = 5 + len(RARE) + len(NOVEL)
WIDTH = len(FEATURES) + 1
DISTANCE = len(FEATURES)
"""One more column than features: the distance in km as it was measured, NaN when unknown, for people to read."""


@dataclass(frozen=True, slots=True)
class Scales:
    """What features are measured against: `total` logins, `kinds` (14,) distinct values, km for an unknown place."""

    total: float
    kinds: Matrix
    unknown_km: float


def compute(signals: Matrix, scales: Scales) -> Matrix:
    """(n, WIDTH) features of (n, len(COLUMNS)) signals; every feature is finite."""
    home_latitude, home_longitude = np.empty(len(signals)), np.empty(len(signals))
    _usual_places(signals, home_latitude, home_longitude)
    latitude = np.ascontiguousarray(signals[:, PLACE["latitude"]])
    longitude = np.ascontiguousarray(signals[:, PLACE["longitude"]])
    distance = distances_km(latitude, longitude, home_latitude, home_longitude)
    out = np.empty((len(signals), WIDTH))
    _fill(signals, distance, scales.total, scales.kinds, scales.unknown_km, out)
    return out


def places(names: Sequence[str]) -> NDArray[np.int64]:
    """Columns of these features in a full matrix. Raises ValueError for a name that is none."""
    return np.array([FEATURES.index(name) for name in names], dtype=np.int64)


_TS, _SUCCESS, _LOGINS, _USER = PLACE["ts"], PLACE["success"], PLACE["logins"], PLACE["count_user"]
_PLACED, _EAST, _NORTH, _UP = PLACE["placed"], PLACE["east"], PLACE["north"], PLACE["up"]
_REP, _PARSES, _CONTRADICTS = PLACE["ip_rep"], PLACE["ja4_parses"], PLACE["ja4_contradicts"]


@njit(cache=True, nogil=True)
def _usual_places(signals: Any, latitude: Any, longitude: Any) -> None:
    """`history.usual_place` for every row; NaN where it is None."""
    for row in range(signals.shape[0]):
        east, north, up = signals[row, _EAST], signals[row, _NORTH], signals[row, _UP]
        length = math.sqrt(east * east + north * north + up * up)
        if signals[row, _PLACED] == 0.0 or length < 1e-6 * signals[row, _PLACED]:
            latitude[row] = longitude[row] = math.nan
        else:
            latitude[row] = math.degrees(math.asin(max(-1.0, min(1.0, up / length))))
            longitude[row] = math.degrees(math.atan2(north, east))


@njit(cache=True, nogil=True)
def _fill(signals: Any, distance: Any, total: float, kinds: Any, unknown_km: float, out: Any) -> None:
    for row in range(signals.shape[0]):
        seconds = signals[row, _TS]
        out[row, 0] = math.floor(seconds / 3600.0) % 24
        out[row, 1] = (math.floor(seconds / 86400.0) + 3) % 7  # 1970-01-01 was a Thursday, Monday is 0
        out[row, 2] = signals[row, _SUCCESS]
        out[row, 3] = math.log1p(min(signals[row, _USER], ENOUGH_LOGINS))
        logins = signals[row, _LOGINS]
        out[row, 4] = math.log1p(min(logins, ENOUGH_LOGINS))
        for place in range(_COUNT.shape[0]):
            share = total + SMOOTHING * (kinds[_KIND[place]] + 1.0)
            out[row, 5 + place] = -math.log((signals[row, _COUNT[place]] + SMOOTHING) / share)
        for place in range(_SEEN.shape[0]):  # 0 without history: nothing is new to nobody
            out[row, 5 + _COUNT.shape[0] + place] = math.log((logins + 1.0) / (signals[row, _SEEN[place]] + 1.0))
        out[row, _TAIL] = signals[row, _REP]
        far = distance[row]
        out[row, _TAIL + 1] = math.log1p(unknown_km if math.isnan(far) else far)
        out[row, _TAIL + 2] = signals[row, _PARSES]
        out[row, _TAIL + 3] = signals[row, _CONTRADICTS]
        out[row, DISTANCE] = far
