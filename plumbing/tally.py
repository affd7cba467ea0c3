"""How often each of a few kinds of things was seen, for metrics; the log hears of each kind once a minute at most."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import structlog

from plumbing.clock import Clock, SystemClock

QUIET_SECONDS: Final = 60.0
"""A flood of what is counted must not become a flood of lines."""


class Tally:
    """Counts by kind; kinds are words of ours, never a stranger's."""

    def __init__(self, event: str, clock: Clock | None = None) -> None:
        """`event` is what the log calls it."""
        self._event = event
        self._clock = clock or SystemClock()
        self._counts: Counter[str] = Counter()
        self._said_at: dict[str, float] = {}
        self._log = structlog.get_logger("plumbing.tally")

    def add(self, kind: str) -> None:
        """One more of that kind."""
        self._counts[kind] += 1
        now = self._clock.monotonic()
        if now - self._said_at.get(kind, now - QUIET_SECONDS) >= QUIET_SECONDS:
            self._said_at[kind] = now
            self._log.warning(self._event, kind=kind, count=self._counts[kind])

    def count(self, kind: str) -> int:
        """How many of that kind there were."""
        return self._counts[kind]

    def readings(self) -> Iterator[tuple[tuple[str, ...], float]]:
        """Each kind with its count, as metrics take them."""
        for kind, count in sorted(self._counts.items()):
            yield (kind,), float(count)
