"""Texts that must not be wider than their place in a picture, where nothing wraps and nothing is cut off by itself."""

from __future__ import annotations

from typing import Final
from unicodedata import combining, east_asian_width

from risk_scorer.core.console.visible import written_out

WIDE: Final = frozenset("WF")
"""East Asian signs take the room of two (Unicode Standard Annex 11)."""
MOST_MARKS: Final = 1
"""Marks on one sign; more of them grow into the lines above and below."""
CUT: Final = "…"


def fitting(text: str, units: int) -> str:
    """The text with signs that nobody sees written out, no wider than so many narrow signs."""
    shown, used, marks = "", 0, 0
    # Whatever is longer than this is cut anyway, even if all of it were marks.
    for sign in written_out(text[: 4 * units]):
        marks = marks + 1 if combining(sign) else 0
        if marks > MOST_MARKS:
            continue
        used += _units(sign)
        if used > units:
            return _cut(shown, units)
        shown += sign
    return shown if len(text) <= 4 * units else _cut(shown, units)


def units_of(text: str) -> int:
    """How many narrow signs wide it is."""
    return sum(map(_units, text))


def _units(sign: str) -> int:
    return 2 if east_asian_width(sign) in WIDE else 1


def _cut(shown: str, units: int) -> str:
    while shown and units_of(shown) >= units:
        shown = shown[:-1]
    return shown + CUT
