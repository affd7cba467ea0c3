"""When a lane tries, tries again, gives up and steps back. Numbers alone, no storage and no clock."""

from dataclasses import dataclass
from typing import Final

from plumbing.randomness import Randomness

LONGEST_REFUSAL_PAUSE: Final = 300.0
"""Seconds; a receiver that refuses our credential is asked again this often at least, so that it need not be told when
that is mended."""
MOST_AHEAD: Final = 256
LEAST_AHEAD: Final = 8
SOON_SECONDS: Final = 0.5
LATE_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """When we try, try again and give up; times in seconds.

    A receiver that fails closes nothing here: what it should get waits in the outbox.
    """

    first_retry: float = 5.0
    longest_retry: float = 3_600.0
    give_up_after: float = 5 * 86_400.0
    least_attempts: int = 8  # however old a message is: it may have waited for a receiver that was disabled
    deadline: float = 10.0
    lease: float = 15.0  # longer than the deadline, or another worker would send what is just being sent
    poll: float = 5.0  # for messages that another process added
    keep_delivered: float = 7 * 86_400.0

    def __post_init__(self) -> None:
        if self.lease <= self.deadline:
            raise ValueError("the lease must outlast the deadline of an attempt")

    def backoff(self, attempts: int, randomness: Randomness) -> float:
        """Seconds until the next attempt: exponential with full jitter, so that a crowd does not come back at once."""
        return randomness.uniform(0.0, self._ceiling(attempts))

    def pause(self, refusals: int) -> float:
        """Seconds for which nothing is sent to a receiver that has refused our credential so often in a row."""
        return min(LONGEST_REFUSAL_PAUSE, self._ceiling(refusals))

    def _ceiling(self, attempts: int) -> float:
        return min(self.longest_retry, self.first_retry * 2.0 ** min(attempts - 1, 40))


class Foresight:
    """How many messages to claim beyond those that can be sent at once: none at first, more for a receiver that takes
    full claims within half a second, fewer for one that is slow or fails. What is claimed ahead waits in memory."""

    def __init__(self) -> None:
        self.ahead = 0
        self._claimed_at: float | None = None

    def claimed(self, count: int, asked: int, now: float) -> None:
        """A claim that asked for so many found `count`."""
        if self._claimed_at is not None:
            taken_seconds = now - self._claimed_at
            if taken_seconds <= SOON_SECONDS:
                self.ahead = min(MOST_AHEAD, max(LEAST_AHEAD, self.ahead * 2))
            elif taken_seconds > LATE_SECONDS:
                self.ahead //= 2
        self._claimed_at = now if count >= asked else None

    def failed(self, *, is_outage: bool) -> None:
        """An attempt failed."""
        self.ahead = 0 if is_outage else self.ahead // 2
        self._claimed_at = None
