"""A login beside what is usual for the person: what of it they had before, how often, and what they have most."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from risk_scorer.core.console.visible import visible
from risk_scorer.core.history import UserHistory, last_seen_at, logins_with, usual_place
from risk_scorer.core.observation import Observation
from risk_scorer.core.places import distance_km

MOST_USUAL: Final = 3
SHOWN: Final = {
    "country": ("Country", "country"),
    "asn": ("Network operator", "asn_key"),
    "prefix": ("Network", "prefix"),
    "ip": ("Address", "ip"),
    "os": ("Operating system", "os"),
    "browser": ("Browser", "browser"),
    "device": ("Device", "device_id"),
    "ja4": ("TLS fingerprint", "ja4"),
}
"""What is compared: its heading, and what an observation calls it."""


class Compared(Struct, frozen=True, kw_only=True):
    """One thing of the login: its value, how many of the person's logins had it and when last (0: never), and what
    they have most, with counts."""

    name: str
    heading: str
    now: str
    logins: int
    last_seen: int
    usual: tuple[tuple[str, int], ...]


class Usual(Struct, frozen=True, kw_only=True):
    """The person's habits as known today: `hours` are local logins in each hour, `hour` this one's (None: unknown).

    `here` and `usual` are latitude and longitude; `km` is between them. What is not known is None.
    """

    logins: int
    compared: tuple[Compared, ...]
    hours: tuple[int, ...]
    hour: int | None
    here: tuple[float, float] | None
    usual: tuple[float, float] | None
    km: float | None


def beside_usual(seen: Observation, history: UserHistory, *, hour: int | None) -> Usual:
    """The comparison; of a person who is not known every count is 0."""
    network = seen.network
    here = None
    if network.latitude is not None and network.longitude is not None:
        here = (network.latitude, network.longitude)
    middle = usual_place(history)
    return Usual(
        logins=history.logins,
        compared=tuple(_compared(name, seen, history) for name in SHOWN),
        hours=history.hours,
        hour=hour,
        here=here,
        usual=middle,
        km=distance_km(here, middle),
    )


def _compared(name: str, seen: Observation, history: UserHistory) -> Compared:
    heading, field = SHOWN[name]
    known = getattr(history, name)
    value = str(getattr(seen, field) or "")
    most = sorted(((logins_with(known, each), each) for each in known), reverse=True)[:MOST_USUAL]
    return Compared(
        name=name,
        heading=heading,
        now=visible(value, 64),
        logins=logins_with(known, value),
        last_seen=last_seen_at(known, value),
        usual=tuple((visible(each, 48), count) for count, each in most),
    )
