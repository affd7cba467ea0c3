"""How much higher the step-up mark of somebody lies who travels or lives behind a VPN: who is asked again and again, on
a device of their own, and always shows a factor. It moves that one mark, by a few points, and nothing else.

What keeps an attacker from raising it, and whoever raised it from using it: docs/decisions/0044.
"""

import math
from typing import Final

import msgspec

HOURS: Final = 3600.0
POINTS_EACH: Final = 2.0
FREE: Final = 2.0
"""So many answered challenges give nothing: everybody is asked now and then."""
MOST_PASSED: Final = 7.0
MOST_POINTS: Final = (MOST_PASSED - FREE) * POINTS_EACH
EVERY_SECONDS: Final = 20 * HOURS
"""Challenges of one day count once, so that a morning in a new hotel is not a way of life."""
HALF_LIFE_SECONDS: Final = 30 * 24 * HOURS
LEAST_POINTS: Final = 0.5


class Leeway(msgspec.Struct, frozen=True, kw_only=True):
    """How many challenges were answered, as it was at `at` (epoch seconds of the last that counted)."""

    passed: float = 0.0
    at: float = 0.0

    def points(self, now: float) -> float:
        """By how much the step-up mark lies higher now, 0 to 10."""
        found = (self._left(now) - FREE) * POINTS_EACH
        return found if found >= LEAST_POINTS else 0.0

    def after(self, now: float) -> "Leeway":
        """The same with one more answered challenge, where that counts."""
        if self.passed and now - self.at < EVERY_SECONDS:
            return self
        return Leeway(passed=min(self._left(now) + 1.0, MOST_PASSED), at=now)

    def _left(self, now: float) -> float:
        half_lives = max(0.0, now - self.at) / HALF_LIFE_SECONDS
        return self.passed * math.exp2(-half_lives)


NO_LEEWAY = Leeway()
