"""A plot as SVG: axes, lines, steps, bars and points in a box that scales with the page. Everything is escaped.

Colours are the page's, by class: series `s0` to `s5`. Widths are in units of the view box.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

WIDTH, HEIGHT = 360.0, 250.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 18.0, 20.0, 38.0
SERIES = 6
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`; `ticks` are values with the words that stand at them. A log axis starts above 0."""

    title: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    is_log: bool = False

    def share(self, value: float) -> float:
        """Where a value lies between the ends, 0-1; what lies outside is put at the end."""
        kept = min(max(value, self.low), self.high)
        if self.is_log:
            return math.log(kept / self.low) / math.log(self.high / self.low)
        return (kept - self.low) / (self.high - self.low)


def series(number: int) -> str:
    """The class that gives a series its colour."""
    return f"s{number % SERIES}"


@dataclass
class Plot:
    """Marks are drawn in the order they are added; `label` is what somebody who cannot see the picture is told."""

    x: Axis
    y: Axis
    label: str
    _marks: list[str] = field(default_factory=list)

    def line(self, points: Points, *, kind: str) -> None:
        """A line through the points."""
        where = " ".join(f"{self._left(x)},{self._top(y)}" for x, y in points)
        self._marks.append(f'<polyline class="line {kind}" points="{where}"/>')

    def steps(self, edges: Sequence[float], heights: Sequence[float], *, kind: str, is_filled: bool = False) -> None:
        """A histogram's outline over its bins, from the floor and back to it."""
        corners = [(edges[0], self.y.low)]
        for place, height in enumerate(heights):
            corners += [(edges[place], height), (edges[place + 1], height)]
        corners.append((edges[-1], self.y.low))
        where = " ".join(f"{self._left(x)},{self._top(y)}" for x, y in corners)
        shape = "area" if is_filled else "line"
        self._marks.append(f'<polyline class="{shape} {kind}" points="{where}"/>')

    def dots(self, points: Points, limits: Points | None = None, *, kind: str) -> None:
        """A dot a point, with a bar from its lower to its upper limit when limits are given."""
        for place, (x, y) in enumerate(points):
            if limits is not None:
                low, high = limits[place]
                self.line([(x, low), (x, high)], kind=kind)
            self._marks.append(f'<circle class="dot {kind}" cx="{self._left(x)}" cy="{self._top(y)}" r="3"/>')

    def upright(self, x: float, words: str) -> None:
        """A thin line across the plot at a value, with its name above it."""
        left = self._left(x)
        self._marks.append(f'<line class="mark" x1="{left}" x2="{left}" y1="{TOP:g}" y2="{HEIGHT - BOTTOM:g}"/>')
        self._marks.append(_text(words, float(left), TOP - 6, "middle"))

    def svg(self) -> str:
        """The picture as one well-formed SVG element."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img"'
            f" aria-label={quoteattr(self.label)}>{self._frame()}{''.join(self._marks)}</svg>"
        )

    def _left(self, x: float) -> str:
        return f"{LEFT + (WIDTH - LEFT - RIGHT) * self.x.share(x):.1f}"

    def _top(self, y: float) -> str:
        return f"{HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * self.y.share(y):.1f}"

    def _frame(self) -> str:
        floor, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        parts = []
        for value, words in self.y.ticks:
            top = self._top(value)
            parts.append(f'<line class="grid" x1="{LEFT:g}" x2="{right:g}" y1="{top}" y2="{top}"/>')
            parts.append(_text(words, LEFT - 5, float(top) + 3.5, "end"))
        for value, words in self.x.ticks:
            left = self._left(value)
            parts.append(f'<line class="grid" x1="{left}" x2="{left}" y1="{TOP:g}" y2="{floor:g}"/>')
            parts.append(_text(words, float(left), floor + 13, "middle"))
        parts.append(_text(self.x.title, (LEFT + right) / 2, HEIGHT - 6, "middle", kind="axis"))
        middle = (TOP + floor) / 2
        parts.append(
            f'<text class="axis" transform="translate(11 {middle:g}) rotate(-90)" text-anchor="middle">'
            f"{escape(self.y.title)}</text>"
        )
        return "".join(parts)


def _text(words: str, left: float, top: float, anchor: str, *, kind: str = "tick") -> str:
    return f'<text class="{kind}" x="{left:.1f}" y="{top:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
