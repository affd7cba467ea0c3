"""Words of time: how long ago, and exactly when, with the zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

ZONE: Final = "UTC"
STEPS: Final = ((60.0, 1.0, "s"), (3600.0, 60.0, "min"), (86_400.0, 3600.0, "h"), (30 * 86_400.0, 86_400.0, "d"))
"""Below the first number the unit of the second one: 59 s, 59 min, 23 h, 29 d; then the date says more."""


class Moment(Struct, frozen=True, kw_only=True):
    """A moment as people read it: `ago` in short, `exact` with its zone, `iso` for machines."""

    ago: str
    exact: str
    iso: str


def moment(epoch: float, *, now: float) -> Moment:
    """The words for an epoch second, as seen from `now`."""
    when = datetime.fromtimestamp(epoch, UTC)
    return Moment(
        ago=_ago(now - epoch) or when.strftime("%Y-%m-%d"),
        exact=f"{when:%Y-%m-%d %H:%M:%S} {ZONE}",
        iso=when.isoformat(timespec="seconds"),
    )


def iso(epoch: float) -> str:
    """The moment for machines, with milliseconds and its zone."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds")


def span_words(seconds: float) -> str:
    """A length of time: 45 s, 12 min, 3.5 h, 2.1 d."""
    if seconds < 60.0:
        return f"{seconds:.0f} s"
    if seconds < 3600.0:
        return f"{seconds / 60.0:.0f} min"
    return f"{seconds / 3600.0:.1f} h" if seconds < 86_400.0 else f"{seconds / 86_400.0:.1f} d"


def _ago(seconds: float) -> str:
    """ "" where only the date says it."""
    distance = abs(seconds)
    if distance < 1.0:
        return "now"
    for below, unit, sign in STEPS:
        if distance < below:
            text = f"{int(distance // unit)} {sign}"
            return f"{text} ago" if seconds > 0.0 else f"in {text}"
    return ""
