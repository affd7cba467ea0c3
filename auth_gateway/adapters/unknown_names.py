"""How many failures for names that nobody has are told to the scorer: a flood of names must not fill the outbox.

Failures for accounts need no such bound: each account has five free attempts and then about a hundred a day
(`core.throttle`), a network fifty; names are without number, and so are a botnet's networks.
"""

# What one wave may bring at once, and what goes on for ever: 1.2 million rows in the outbox's week at the very most.
BURST = 2000.0
PER_SECOND = 2.0


class Allowance:
    """A bucket that refills: beyond it a failure is in the audit trail alone."""

    def __init__(self, *, burst: float = BURST, per_second: float = PER_SECOND) -> None:
        self._burst = burst
        self._per_second = per_second
        self._left = burst
        self._at = 0.0

    def takes(self, now: float) -> bool:
        """Whether one more may be told at `now` (epoch seconds); it counts if so."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._per_second)
        self._at = max(self._at, now)
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
