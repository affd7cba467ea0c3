"""Every number about a login that evidence is made from, gathered once: one row of `COLUMNS` for each event.

Gathering reads the person's history and everyone's frequencies and changes neither. What the numbers mean is for
features, likelihood and rules to say.
"""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.encoders import COUNTED, Encoders
from risk_scorer.core.fingerprint import contradicts
from risk_scorer.core.history import EMPTY, SECONDS_BITS, UserHistory
from risk_scorer.core.observation import Observation

Row = tuple[Any, ...]
"""Numbers in the order of `COLUMNS`: counts as int, flags as bool, the rest as float."""
UNKNOWN = math.nan

LEVELS = (
    "country", "asn", "prefix", "ip", "device_type", "os", "browser", "browser_version", "device",
    "ja4", "ja4h", "ja4s",
)  # fmt: skip
"""What a history remembers of a login, in the order of every array that has one entry for each."""

COLUMNS = (
    "ts", "success", "logins",
    *(f"count_{name}" for name in COUNTED),
    *(f"seen_{name}" for name in LEVELS),
    *(f"spread_{name}" for name in LEVELS),
    "ip_rep", "latitude", "longitude", "placed", "east", "north", "up",
    "ja4_given", "ja4_parses", "ja4_contradicts", "listed", "tor", "vpn", "hosting", "automated",
)  # fmt: skip
PLACE = {name: place for place, name in enumerate(COLUMNS)}


def gather(encoders: Encoders, seen: Observation, history: UserHistory | None) -> Row:
    """The numbers about one login, in the order of `COLUMNS`; NaN where a place is unknown."""
    past = EMPTY if history is None else history
    network, fingerprint, ja4 = seen.network, seen.fingerprint, seen.ja4
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
        past.country.get(seen.country, 0) >> SECONDS_BITS, past.asn.get(seen.asn_key, 0) >> SECONDS_BITS,
        past.prefix.get(seen.prefix, 0) >> SECONDS_BITS, past.ip.get(seen.ip, 0) >> SECONDS_BITS,
        past.device_type.get(seen.device_type, 0) >> SECONDS_BITS, past.os.get(seen.os, 0) >> SECONDS_BITS,
        past.browser.get(seen.browser, 0) >> SECONDS_BITS,
        past.browser_version.get(seen.browser_version, 0) >> SECONDS_BITS,
        past.device.get(seen.device_id, 0) >> SECONDS_BITS, past.ja4.get(ja4, 0) >> SECONDS_BITS,
        past.ja4h.get(seen.ja4h, 0) >> SECONDS_BITS, past.ja4s.get(seen.ja4s, 0) >> SECONDS_BITS,
        len(past.country), len(past.asn), len(past.prefix), len(past.ip), len(past.device_type), len(past.os),
        len(past.browser), len(past.browser_version), len(past.device), len(past.ja4), len(past.ja4h), len(past.ja4s),
        seen.ip_rep, UNKNOWN if latitude is None else latitude, UNKNOWN if longitude is None else longitude,
        past.placed, past.east, past.north, past.up,
        ja4 != "", fingerprint.parses, fingerprint.parses and contradicts(fingerprint, seen.agent),
        network.is_listed, kind == "tor", kind == "vpn", kind == "hosting", _is_automated(seen),
    )  # fmt: skip


def _is_automated(seen: Observation) -> bool:
    """A client that says it is a program, or gives a user agent that no browser gives."""
    return seen.agent.is_bot or (seen.user_agent != "" and seen.browser in ("", "Other"))


def table(rows: Sequence[Row]) -> NDArray[np.float64]:
    """The rows as one (n, len(COLUMNS)) array; an unknown place is NaN."""
    flat = np.fromiter(chain.from_iterable(rows), np.float64, len(rows) * len(COLUMNS))
    return flat.reshape(len(rows), len(COLUMNS))
