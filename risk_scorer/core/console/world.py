"""A map of the world without anybody's tiles: dots where there are cities, and places of sign-ins as signs upon them.

Flat, a degree a unit, without the far south. Nearby places are one sign, so that none hides another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from risk_scorer.core.console.globe import Place, on_map

CELL: Final = 2.5
"""Degrees between two dots of the ground: coarse enough to be light, fine enough for a peninsula."""
TOGETHER: Final = 5.0
"""Degrees within which places are one sign."""
NORTH, SOUTH = 8.0, 148.0
"""What of the map is shown, degrees from its upper edge: people log in from 82° north to 58° south."""
SMALLEST, LARGEST = 2.2, 8.0
SOME_DENIED, MANY_DENIED = 0.05, 0.25
MOST_SIGNS: Final = 80

Shape = Literal["circle", "diamond", "triangle"]
Level = Literal["low", "medium", "high"]


class Came(Struct, frozen=True, kw_only=True):
    """Sign-ins from one place, and how many of them were refused."""

    country: str
    region: str
    city: str
    count: int
    denied: int
    where: Place | None

    @property
    def share(self) -> float:
        return self.denied / self.count if self.count else 0.0


class Sign(Struct, frozen=True, kw_only=True):
    """What is drawn for one or more places: its shape and its level say how many were refused, its size how many
    there were. `points` are those of a polygon; a circle has none."""

    x: float
    y: float
    radius: float
    shape: Shape
    level: Level
    points: str
    words: str


def ground(places: Iterable[Place]) -> str:
    """The path of a dot for each cell with a place: runs along a line, which a dash of nothing with round ends makes
    dots of."""
    cells = sorted({(int((90.0 - lat) // CELL), int((lon + 180.0) // CELL)) for lat, lon in places})
    path: list[str] = []
    run: tuple[int, int, int] | None = None
    for row, column in cells:
        if run is not None and run[0] == row and run[2] == column - 1:
            run = (row, run[1], column)
            continue
        path.extend(_run(run))
        run = (row, column, column)
    path.extend(_run(run))
    return "".join(path)


def signs(came: Sequence[Came]) -> tuple[Sign, ...]:
    """The signs of these places, the largest first, so that small ones lie above."""
    together: dict[tuple[int, int], list[Came]] = {}
    for each in came:
        if each.where is not None:
            x, y = on_map(each.where)
            together.setdefault((int(x // TOGETHER), int(y // TOGETHER)), []).append(each)
    groups = sorted(together.values(), key=lambda group: -sum(each.count for each in group))[:MOST_SIGNS]
    most = max((sum(each.count for each in group) for group in groups), default=1)
    return tuple(_sign(group, most) for group in groups)


def standing(share: float) -> tuple[Shape, Level]:
    """How a place with that share of refusals is drawn."""
    if share >= MANY_DENIED:
        return "triangle", "high"
    return ("diamond", "medium") if share >= SOME_DENIED else ("circle", "low")


def _sign(group: Sequence[Came], most: int) -> Sign:
    count, denied = sum(each.count for each in group), sum(each.denied for each in group)
    first = max(group, key=lambda each: each.count)
    x, y = on_map(first.where or (0.0, 0.0))
    radius = round(SMALLEST + (LARGEST - SMALLEST) * math.sqrt(count / most), 2)
    shape, level = standing(denied / count)
    more = f" and {len(group) - 1} more places near it" if len(group) > 1 else ""
    name = ", ".join(part for part in (first.city, first.country) if part) or "an unknown city"
    words = f"{name}{more}: {count:,} sign-ins, {denied:,} refused"
    return Sign(x=x, y=y, radius=radius, shape=shape, level=level, points=_points(shape, x, y, radius), words=words)


def _points(shape: Shape, x: float, y: float, radius: float) -> str:
    if shape == "circle":
        return ""
    wide = radius * 1.25
    corners = (
        [(x, y - wide), (x + wide, y), (x, y + wide), (x - wide, y)]
        if shape == "diamond"
        else [(x, y - wide), (x + wide, y + 0.8 * wide), (x - wide, y + 0.8 * wide)]
    )
    return " ".join(f"{across:.1f},{down:.1f}" for across, down in corners)


def _run(run: tuple[int, int, int] | None) -> list[str]:
    """A move to the first dot and a line to the last; a little longer, for a dash ends where its line does."""
    if run is None:
        return []
    row, first, last = run
    return [f"M{first * CELL + CELL / 2:g} {row * CELL + CELL / 2:g}h{(last - first) * CELL + 0.1:g}"]
