"""When to stop asking a service that does not answer, so that pages that need it say so at once."""

from __future__ import annotations

from typing import Final

FAILURES: Final = 3
"""In a row: people look at one page after the other, and should wait for a dead gateway few times."""
OPEN_SECONDS: Final = 5.0


class Breaker:
    """Lets calls through until several in a row have failed; then one every few seconds, until one succeeds."""

    def __init__(self) -> None:
        self._failures = 0
        self._asked_at = float("-inf")

    def admits(self, now: float) -> bool:
        """Whether a call may be made at `now` (monotonic seconds)."""
        if self._failures >= FAILURES and now - self._asked_at < OPEN_SECONDS:
            return False
        self._asked_at = now
        return True

    def record(self, *, succeeded: bool) -> None:
        """Take in how a call ended."""
        self._failures = 0 if succeeded else self._failures + 1

    @property
    def is_open(self) -> bool:
        """Whether the last calls all failed."""
        return self._failures >= FAILURES
