"""How far the log has been taken, and which of its rows may still come although later ones are there.

Writers of several processes get the numbers of their rows in one order and commit in another: a number that is missing
is a hole which may be filled a moment later, or belongs to a write that was undone and never will be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

PATIENCE_SECONDS: Final = 60.0
"""For so long a missing row is looked for: no write of ours takes longer."""
MOST_HOLES: Final = 1_000
"""More than writers have in hand at one time; a sequence that jumped leaves more, and nobody will fill those."""

Hole = tuple[int, float]
"""The number of a row that was missing, and when that was seen."""


class Progress(Struct, frozen=True):
    """The number of the newest row that was taken, and those missing before it."""

    log_id: int = 0
    holes: tuple[Hole, ...] = ()

    def awaited(self, now: float) -> list[int]:
        """The missing rows that may still come."""
        return [row_id for row_id, since in self.holes if now - since < PATIENCE_SECONDS]


def advanced(progress: Progress, taken: Sequence[int], now: float) -> Progress:
    """The progress once these rows are taken, too."""
    found = set(taken)
    awaited = set(progress.awaited(now)) - found
    holes = [hole for hole in progress.holes if hole[0] in awaited]
    before = progress.log_id
    for row_id in sorted(found):
        if row_id > before > 0:
            holes += [(missing, now) for missing in range(max(before + 1, row_id - MOST_HOLES), row_id)]
        before = max(before, row_id)
    return Progress(before, tuple(holes[-MOST_HOLES:]))
