"""The devices that somebody signed in with, from their sign-ins."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from risk_scorer.core.console.sign_in import SignIn


class Device(Struct, frozen=True, kw_only=True):
    """One device, with what its latest sign-in claimed to be; "" is one that gave no id."""

    device_id: str
    claimed: str
    sign_ins: int
    first_at: float
    last_at: float
    places: tuple[str, ...]
    worst: str


_ORDER = {"low": 0, "medium": 1, "high": 2}


def devices_of(newest_first: Iterable[SignIn]) -> tuple[Device, ...]:
    """The latest used first."""
    found: dict[str, list[SignIn]] = {}
    for row in newest_first:
        found.setdefault(row.device_id, []).append(row)
    return tuple(_device(device_id, rows) for device_id, rows in found.items())


def _device(device_id: str, rows: list[SignIn]) -> Device:
    latest = rows[0]
    places = dict.fromkeys(", ".join(part for part in (row.city, row.country) if part) for row in rows)
    return Device(
        device_id=device_id,
        claimed=" on ".join(part for part in (latest.browser, latest.os) if part),
        sign_ins=len(rows),
        first_at=rows[-1].ts,
        last_at=latest.ts,
        places=tuple(place for place in places if place)[:3],
        worst=max((row.level for row in rows), key=lambda level: _ORDER.get(level, 0)),
    )
