"""Alert storms: whether a destination is being told more than it can read, and what may then be told as one.

Nothing is dropped. Above the rate a message waits a moment, and more of the same is folded into it meanwhile; each
event stays in the audit trail and can be told again.
"""

from typing import Final

from auth_gateway.core.destination import Destination
from auth_gateway.core.event import Event
from auth_gateway.core.veil import network_of

RATE_PER_SECOND: Final = 100.0
BURST: Final = 1_000.0
HOLD_SECONDS: Final = 2.0
"""How long a message waits for more of the same: in a storm, each kind of news comes once in so many seconds."""


class Storms:
    """A token bucket for each destination, in memory: at worst a restart begins with a full one."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    def key(self, event: Event, destination: Destination, now: float) -> str:
        """By which this message may take in more of the same; "" while there is no storm, and for those who count by
        themselves: SIEM formats, files and collectors get each event."""
        if destination.kind != "webhook" or destination.format != "standard":
            return ""
        left, since = self._buckets.get(destination.destination_id, (BURST, now))
        left = min(BURST, left + max(0.0, now - since) * RATE_PER_SECOND)
        is_storm = left < 1.0
        self._buckets[destination.destination_id] = (left if is_storm else left - 1.0, now)
        if not is_storm:
            return ""
        return f"{event.type} {event.user_id or (network_of(event.ip) if event.ip else None) or '-'}"
