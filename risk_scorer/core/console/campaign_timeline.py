"""What the accounts of a campaign did, counted by equal spans of time and stacked by account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

MOST_BARS: Final = 60
STEPS: Final = (60.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0)
MOST_STACKED: Final = 5
"""Accounts with a part of each bar of their own, the busiest; all others are one part."""
OTHERS: Final = ""
WIDTH: Final = 720.0
HEIGHT: Final = 120.0


class Part(Struct, frozen=True, kw_only=True):
    """One part of a bar: `layer` counts from the bottom, 0 for the busiest account."""

    layer: int
    count: int
    y: float
    height: float


class Column(Struct, frozen=True, kw_only=True):
    """One bar: what was done from `began` on."""

    began: float
    x: float
    width: float
    parts: tuple[Part, ...]
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


class Timeline(Struct, frozen=True, kw_only=True):
    """`layers` from the bottom, "" for all others; `step` seconds a bar."""

    step: float
    layers: tuple[str, ...]
    columns: tuple[Column, ...]
    highest: int
    width: float = WIDTH
    height: float = HEIGHT

    @property
    def totals(self) -> tuple[int, ...]:
        """Of each layer, over all bars."""
        return tuple(sum(column.counts[at] for column in self.columns) for at in range(len(self.layers)))


def step_of(first: float, last: float) -> float:
    """The shortest step by which a span is no more bars than there may be."""
    return next((step for step in STEPS if (last - first) / step < MOST_BARS - 1), (last - first) / (MOST_BARS - 1))


def timeline(counts: Mapping[str, Mapping[int, int]], *, first: float, step: float) -> Timeline:
    """Bars of events by account, each by the number of its step since `first`."""
    totals = {account: sum(found.values()) for account, found in counts.items() if found}
    ranked = sorted(totals, key=lambda account: (-totals[account], account))
    layers = (*ranked[:MOST_STACKED], *((OTHERS,) if len(ranked) > MOST_STACKED else ()))
    rest = ranked[MOST_STACKED:]
    bars = max((max(found) + 1 for found in counts.values() if found), default=0)
    table = []
    for at in range(bars):
        row = [counts[account].get(at, 0) for account in ranked[:MOST_STACKED]]
        table.append((*row, *((sum(counts[each].get(at, 0) for each in rest),) if rest else ())))
    highest = max(map(sum, table), default=0)
    pitch = WIDTH / max(1, bars)
    columns = (
        Column(
            began=first + at * step,
            x=round(at * pitch, 2),
            width=round(max(1.0, pitch - 1.0), 2),
            parts=_stacked(row, highest),
            counts=row,
        )
        for at, row in enumerate(table)
    )
    return Timeline(step=step, layers=layers, columns=tuple(columns), highest=highest)


def _stacked(row: tuple[int, ...], highest: int) -> tuple[Part, ...]:
    parts, below = [], 0
    for layer, count in enumerate(row):
        if count:
            top = HEIGHT - (below + count) / highest * HEIGHT
            parts.append(Part(layer=layer, count=count, y=round(top, 2), height=round(count / highest * HEIGHT, 2)))
        below += count
    return tuple(parts)
