"""When to stop asking a service that does not answer, and when to try it again; knows nothing of the service."""

from collections import deque

# Five in a row is an outage; half of the last twenty is a service that is drowning, where each call makes it worse.
CONSECUTIVE_FAILURES = 5
WINDOW = 20
WINDOW_FAILURES = 10
OPEN_SECONDS = 5.0


class CircuitBreaker:
    """Closed lets all calls through, open none, half-open one at a time until it has said how things are."""

    def __init__(self) -> None:
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self._consecutive_failures = 0
        self._opened_at: float | None = None
        self._probe_started_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls are held back, but for the probe."""
        return self._opened_at is not None

    @property
    def opened_at(self) -> float | None:
        """When it was opened last, or None while it is closed."""
        return self._opened_at

    def set(self, *, is_open: bool, now: float) -> None:
        """Opens or closes it on another's word."""
        self._opened_at = now if is_open else None
        self._probe_started_at = None
        self._consecutive_failures = 0
        self._recent.clear()

    async def admitted(self, now: float) -> bool:
        """As `admits`, for who would also wait for others."""
        return self.admits(now)

    def admits(self, now: float) -> bool:
        """Whether a call may be made at `now` (monotonic seconds); one that may must be followed by `record` or
        `withdraw`."""
        if self._opened_at is None:
            return True
        # A probe whose caller vanished must not keep the breaker open for ever.
        since = self._opened_at if self._probe_started_at is None else self._probe_started_at
        if now - since < OPEN_SECONDS:
            return False
        self._probe_started_at = now
        return True

    def record(self, *, succeeded: bool, now: float) -> None:
        """Takes in how a call ended."""
        if self._opened_at is not None:
            self._judge_probe(succeeded=succeeded, now=now)
            return
        self._recent.append(succeeded)
        self._consecutive_failures = 0 if succeeded else self._consecutive_failures + 1
        is_drowning = self._recent.count(False) >= WINDOW_FAILURES
        if self._consecutive_failures >= CONSECUTIVE_FAILURES or is_drowning:
            self._opened_at = now

    def withdraw(self) -> None:
        """Takes back a call that says nothing of the service; a probe may be made again at once."""
        self._probe_started_at = None

    def _judge_probe(self, *, succeeded: bool, now: float) -> None:
        if self._probe_started_at is None:
            return  # a call from before the breaker opened; its news is old
        self._probe_started_at = None
        if not succeeded:
            self._opened_at = now
            return
        self._opened_at = None
        self._consecutive_failures = 0
        self._recent.clear()
