"""Every number about a login that evidence is made from, gathered once: one row of `GATHERED` for each event.

Gathering reads the person's history, everyone's frequencies and the pressure around the login, and changes none of
them. What the numbers mean is for features, likelihood, travel, habits and rules to say.
"""

import math
from collections.abc import Sequence
from struct import Struct
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.clusters import REACH_KM, standing, unit_vector
from risk_scorer.core.continuity import client_change, network_change
from risk_scorer.core.encoders import COUNTED, Encoders
from risk_scorer.core.facts import NO_PRESSURE, Pressure
from risk_scorer.core.fingerprint import contradicts
from risk_scorer.core.history import EMPTY, SECONDS_BITS, UserHistory, heat_at
from risk_scorer.core.lessons import is_shared
from risk_scorer.core.observation import Observation
from risk_scorer.core.verdicts import is_condemned, is_pardoned_client, pardoned_network

Row = tuple[Any, ...]
"""Numbers in the order of `GATHERED`: counts as int, flags as bool, the rest as float."""
UNKNOWN = math.nan

LEVELS = (
    "country", "asn", "prefix", "ip", "device_type", "os", "browser", "browser_version", "device",
    "ja4", "ja4h", "ja4s",
)  # fmt: skip
"""What a history remembers of a login, in the order of every array that has one entry for each."""

RHYTHM = ("gap", "gap_usual", "failures_since", "heat", "hour_local", "hour_near", "hour_logins")
WHEREABOUTS = (
    "last_latitude", "last_longitude", "last_accuracy", "last_ts", "last_shared", "accuracy", "shared",
    "place_share", "place_km",
)  # fmt: skip
GATHERED = (
    "ts", "success", "logins",
    *(f"count_{name}" for name in COUNTED),
    *(f"seen_{name}" for name in LEVELS),
    *(f"spread_{name}" for name in LEVELS),
    "ip_rep", "latitude", "longitude", "placed", "east", "north", "up",
    "ja4_given", "ja4_parses", "ja4_contradicts", "listed", "tor", "vpn", "hosting", "automated",
    *RHYTHM, *WHEREABOUTS,
    "pardoned_network", "pardoned_client", "condemned", "malicious", "session_client", "session_network",
    "network_failures", "network_people", "network_logins", "device_failures", "device_people", "device_logins",
)  # fmt: skip
"""In a row `seen_*` is a history's packed integer: the person's logins with the value and when it was last seen."""
COLUMNS = (*GATHERED, *(f"age_{name}" for name in LEVELS))
"""In a table `seen_*` is the logins, and `age_*` the seconds since the value was last seen, NaN for never."""
PLACE = {name: place for place, name in enumerate(COLUMNS)}


def gather(encoders: Encoders, seen: Observation, history: UserHistory | None, pressure: Pressure = NO_PRESSURE) -> Row:
    """The numbers about one login, in the order of `GATHERED`; NaN where something is unknown."""
    past = EMPTY if history is None else history
    network, fingerprint, ja4, began = seen.network, seen.fingerprint, seen.ja4, seen.session
    kind = network.kind
    latitude, longitude = network.latitude, network.longitude
    return (
        seen.ts, seen.success, past.logins,
        encoders.user.get(seen.user_id, 0), encoders.ip.get(seen.ip, 0), encoders.prefix.get(seen.prefix, 0),
        encoders.asn.get(seen.asn_key, 0), encoders.country.get(seen.country, 0),
        encoders.device.get(seen.device_id, 0), encoders.ua.get(seen.user_agent, 0),
        encoders.browser.get(seen.browser, 0), encoders.browser_version.get(seen.browser_version, 0),
        encoders.os.get(seen.os, 0), encoders.device_type.get(seen.device_type, 0),
        encoders.ja4.get(ja4, 0), encoders.ja4h.get(seen.ja4h, 0), encoders.ja4s.get(seen.ja4s, 0),
        past.country.get(seen.country, 0), past.asn.get(seen.asn_key, 0), past.prefix.get(seen.prefix, 0),
        past.ip.get(seen.ip, 0), past.device_type.get(seen.device_type, 0), past.os.get(seen.os, 0),
        past.browser.get(seen.browser, 0), past.browser_version.get(seen.browser_version, 0),
        past.device.get(seen.device_id, 0), past.ja4.get(ja4, 0), past.ja4h.get(seen.ja4h, 0),
        past.ja4s.get(seen.ja4s, 0),
        len(past.country), len(past.asn), len(past.prefix), len(past.ip), len(past.device_type), len(past.os),
        len(past.browser), len(past.browser_version), len(past.device), len(past.ja4), len(past.ja4h), len(past.ja4s),
        seen.ip_rep, UNKNOWN if latitude is None else latitude, UNKNOWN if longitude is None else longitude,
        past.placed, past.east, past.north, past.up,
        ja4 != "", fingerprint.parses, fingerprint.parses and contradicts(fingerprint, seen.agent),
        network.is_listed, kind == "tor", kind == "vpn", kind == "hosting", _is_automated(seen),
        *_rhythm(past, seen), *_whereabouts(past, seen),
        pardoned_network(past, seen) if past.pardoned else 0.0,
        bool(past.pardoned) and is_pardoned_client(past, seen),
        bool(past.condemned) and is_condemned(past, seen), fingerprint.is_malicious,
        0.0 if began is None else client_change(began, seen), 0.0 if began is None else network_change(began, seen),
        pressure.network_failures, pressure.network_people, pressure.network_logins,
        pressure.device_failures, pressure.device_people, pressure.device_logins,
    )  # fmt: skip


def _is_automated(seen: Observation) -> bool:
    """A client that says it is a program, or gives a user agent that no browser gives."""
    return seen.agent.is_bot or (seen.user_agent != "" and seen.browser in ("", "Other"))


def _rhythm(past: UserHistory, seen: Observation) -> Row:
    """`RHYTHM`: when the person comes, and what has been tried on the account meanwhile."""
    zone, home, hours = seen.zone, past.home, past.hours
    offset = seen.utc_offset_s if zone == home or not past.logins else past.home_offset_s
    hour = int(seen.ts + offset) // 3600 % 24
    near = 0.25 * hours[hour - 1] + 0.5 * hours[hour] + 0.25 * hours[hour - 23]
    return (
        max(0.0, seen.ts - past.last_seen) if past.logins else UNKNOWN,
        math.exp(past.gap_log) if past.gaps else UNKNOWN,
        past.failures_since_success, heat_at(past, seen.ts), hour, near, sum(hours),
    )  # fmt: skip


def _whereabouts(past: UserHistory, seen: Observation) -> Row:
    """`WHEREABOUTS`: where the person was last, how sure this place is, and how usual."""
    network, last = seen.network, past.last_place
    latitude, longitude, accuracy = network.latitude, network.longitude, network.accuracy_km
    share, kilometres = UNKNOWN, UNKNOWN
    if past.clusters and latitude is not None and longitude is not None:
        reach = REACH_KM if accuracy is None else max(REACH_KM, accuracy)
        share, kilometres = standing(past.clusters, unit_vector(latitude, longitude), reach)
    return (
        *(_NOWHERE if last is None else last), UNKNOWN if accuracy is None else accuracy,
        is_shared(network, seen.country), share, kilometres,
    )  # fmt: skip


_NOWHERE = (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, False)


def table(rows: Sequence[Row]) -> NDArray[np.float64]:
    """The rows as one (n, len(COLUMNS)) array."""
    flat = np.frombuffer(bytearray(b"".join([_packed(*row) for row in rows])))
    out = np.empty((len(rows), len(COLUMNS)))
    _fill(flat.reshape(len(rows), len(GATHERED)), float(1 << SECONDS_BITS), _AT, out)
    return out


_packed = Struct(f"{len(GATHERED)}d").pack
_AT = np.array([PLACE["ts"], PLACE[f"seen_{LEVELS[0]}"], PLACE[f"age_{LEVELS[0]}"], len(LEVELS)])
# Given to the kernel as an argument: see `features`.


@njit(cache=True, nogil=True)
def _fill(rows: Any, one_login: float, at: Any, out: Any) -> None:
    """Copies the rows and takes the packed integers apart, which a float64 holds exactly up to two million logins."""
    ts, seen, age, levels = at
    for row in range(rows.shape[0]):
        out[row, : rows.shape[1]] = rows[row]
        for level in range(levels):
            packed = rows[row, seen + level]
            logins = math.floor(packed / one_login)
            out[row, seen + level] = logins
            last = packed - logins * one_login
            out[row, age + level] = max(0.0, rows[row, ts] - last) if packed > 0.0 else math.nan
