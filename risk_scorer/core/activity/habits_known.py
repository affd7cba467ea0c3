"""What is usual for somebody, in words and round numbers: what baselines have learned of one person."""

import math

from msgspec import Struct

from risk_scorer.core.activity.detectors.endpoint_skew import Endpoints
from risk_scorer.core.activity.detectors.hours import Clock
from risk_scorer.core.activity.detectors.traffic import Paces
from risk_scorer.core.activity.detectors.volume import Hourly
from risk_scorer.core.activity.memory import Memory

MOST_TOLD = 5


class KnownHabits(Struct, frozen=True, kw_only=True):
    """None and empty where nothing has been learned yet. `hours` are UTC, the busiest first."""

    endpoints: dict[str, int]
    hours: list[int]
    events_a_minute: float | None
    bytes_an_hour: float | None


def habits_of(person: Memory) -> KnownHabits:
    """What has been learned of the person whose memory this is."""
    endpoints: Endpoints | None = person.get("endpoint_skew")
    clock: Clock | None = person.get("hours")
    paces: Paces | None = person.get("traffic")
    hourly: Hourly | None = person.get("volume")
    used = {} if endpoints is None else endpoints.used
    active = [] if clock is None else [hour for hour, count in enumerate(clock.hours) if count]
    return KnownHabits(
        endpoints=dict(sorted(used.items(), key=lambda each: (-each[1], each[0]))[:MOST_TOLD]),
        hours=[] if clock is None else sorted(active, key=lambda hour: -clock.hours[hour])[:MOST_TOLD],
        events_a_minute=round(paces.fast.usual.mean, 1) if paces is not None and paces.fast.usual.seen else None,
        bytes_an_hour=round(math.exp(hourly.usual.mean)) if hourly is not None and hourly.usual.seen else None,
    )
