"""Where the parts of small pictures stand: lines and bars. Templates draw them as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, floor, isfinite, log10
from typing import Final

from msgspec import Struct

TICKS: Final = 4


class Bar(Struct, frozen=True):
    """A bar from its upper left corner."""

    x: float
    y: float
    width: float
    height: float


class Chart(Struct, frozen=True, kw_only=True):
    """A line in a box of `width` by `height`: `points` for a polyline, and the `ticks` of its axis, each a value and
    its y."""

    width: float
    height: float
    points: str
    ticks: tuple[tuple[float, float], ...]


def sparkline(values: Sequence[float], *, width: float = 120.0, height: float = 24.0) -> str:
    """The `points` of a polyline from left to right, the lowest value at the bottom; "" of none."""
    shown = [value for value in values if isfinite(value)]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    spread = (high - low) or 1.0
    step = width / max(1, len(shown) - 1)
    return _points(
        (at * step, height - 1.0 - (value - low) / spread * (height - 2.0)) for at, value in enumerate(shown)
    )


def line(values: Sequence[float], *, width: float, height: float, most: float | None = None) -> Chart:
    """Values from left to right above zero, in a box whose top is a round number above all of them."""
    top = round_above(max([most or 0.0, *values, 0.0]))
    step = width / max(1, len(values) - 1)
    points = _points((at * step, height - value / top * height) for at, value in enumerate(values))
    ticks = tuple((top * at / TICKS, round(height - height * at / TICKS, 2)) for at in range(TICKS + 1))
    return Chart(width=width, height=height, points=points, ticks=ticks)


def bars(values: Sequence[float], *, width: float, height: float, gap: float = 1.0) -> tuple[Bar, ...]:
    """One bar a value, from left to right, the highest as high as the box."""
    if not values:
        return ()
    top, pitch = max([*values, 0.0]) or 1.0, width / len(values)
    return tuple(
        Bar(round(at * pitch, 2), round(height - tall, 2), round(max(0.5, pitch - gap), 2), round(tall, 2))
        for at, tall in enumerate(max(0.0, value) / top * height for value in values)
    )


def round_above(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, … that is no less; 1 for nothing."""
    if not isfinite(value) or value <= 0.0:
        return 1.0
    unit = 10.0 ** floor(log10(value))
    return next((unit * step for step in (1, 2, 5, 10) if unit * step >= value), float(ceil(value)))


def _points(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
