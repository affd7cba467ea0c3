"""Places on a flat map of the whole Earth, a degree a unit, and the shortest way between two of them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import Struct

from risk_scorer.core.clusters import unit_vector

Place = tuple[float, float]
"""Latitude and longitude, degrees."""
STEPS = 48
WIDTH, HEIGHT = 360.0, 180.0


class Arc(Struct, frozen=True, kw_only=True):
    """The `points` of polylines, more than one where the way leaves the map on one side and comes in on the other."""

    lines: tuple[str, ...]


def on_map(place: Place) -> tuple[float, float]:
    """x from the west edge, y from the north edge."""
    return round(place[1] + 180.0, 2), round(90.0 - place[0], 2)


def arc(start: Place, end: Place) -> Arc:
    """The great circle from one to the other."""
    lines: list[list[tuple[float, float]]] = [[]]
    for point in map(on_map, _way(start, end)):
        if lines[-1] and abs(point[0] - lines[-1][-1][0]) > WIDTH / 2.0:
            lines.append([])
        lines[-1].append(point)
    return Arc(lines=tuple(" ".join(f"{x:g},{y:g}" for x, y in line) for line in lines if len(line) > 1))


def _way(start: Place, end: Place) -> Iterator[Place]:
    first, last = unit_vector(*start), unit_vector(*end)
    cosine = sum(a * b for a, b in zip(first, last, strict=True))
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    if math.sin(angle) < 1e-9:  # the same place, or one with no single shortest way
        yield from (start, end)
        return
    for step in range(STEPS + 1):
        share = step / STEPS
        before, after = math.sin((1.0 - share) * angle), math.sin(share * angle)
        x, y, z = ((before * a + after * b) / math.sin(angle) for a, b in zip(first, last, strict=True))
        yield math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))
