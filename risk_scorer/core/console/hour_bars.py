"""Sign-ins by the hour, as bars of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from risk_scorer.core.console.entity_summary import HOUR
from risk_scorer.core.console.pictures import Bar, bars

HOURS: Final = 7 * 24
BOX: Final = (672.0, 96.0)
"""Four units an hour."""


class HourBar(Struct, frozen=True, kw_only=True):
    """One hour that began then, and its bar."""

    began: float
    count: int
    bar: Bar


def week_of(hours: Mapping[int, int], *, now: float) -> tuple[HourBar, ...]:
    """The last seven days from left to right; `hours` are counts by how many whole hours ago."""
    counts = [hours.get(ago, 0) for ago in reversed(range(HOURS))]
    width, height = BOX
    drawn = bars([float(count) for count in counts], width=width, height=height, gap=0.5)
    return tuple(
        HourBar(began=now - (HOURS - at) * HOUR, count=count, bar=bar)
        for at, (count, bar) in enumerate(zip(counts, drawn, strict=True))
    )
