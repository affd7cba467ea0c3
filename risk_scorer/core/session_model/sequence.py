"""What a session has done so far, in numbers that attacks and people differ in: of its steps, and of what was found.

Source of the choice: counts, rates and diversity of requests are what web-session classifiers of crawlers and takeovers
use; see Doran and Gokhale 2011, "Web robot detection techniques: overview and limitations".
"""

import math
from typing import ClassVar, Final

from msgspec import field

from risk_scorer.core.activity.memory import Part
from risk_scorer.core.activity.seen import Seen

STEPS: Final = (
    "log_events", "download_share", "error_share", "log_pace", "evenness", "log_bytes", "services", "prefixes",
    "repeats",
)  # fmt: skip
FOUND: Final = "found:"
"""Before a detector's name: the nats that it holds against the session."""
MOST_NAMES: Final = 12
_LONGEST_NAME = 64
_ENOUGH_GAPS = 6
_LEAST_VARIANCE = 1e-4


class Steps(Part):
    """Counts of the session so far; `gap` and `gap_squares` are mean and sum of squares of ln of the waits, seconds."""

    most_bytes: ClassVar[int] = 3 * MOST_NAMES * (_LONGEST_NAME + 2) + 96
    events: int = 0
    downloads: int = 0
    errors: int = 0
    last: float = 0.0
    gap: float = 0.0
    gap_squares: float = 0.0
    bytes_out: int = 0
    services: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)


def advanced(steps: Steps | None, seen: Seen) -> Steps:
    """The steps with this one more; those that are given stay as they are."""
    before = Steps() if steps is None else steps
    gap, squares, gaps = before.gap, before.gap_squares, before.events
    if gaps:
        wait = math.log(max(0.01, seen.ts - before.last))
        off = wait - gap
        gap += off / gaps
        squares += off * (wait - gap)
    return Steps(
        before.events + 1,
        before.downloads + (seen.event_type == "download"),
        before.errors + (400 <= seen.status < 500),
        max(before.last, seen.ts),
        gap,
        squares,
        before.bytes_out + seen.bytes_out,
        _with(before.services, seen.service),
        _with(before.prefixes, seen.prefix),
        _with(before.actions, seen.action),
    )


def numbers(steps: Steps) -> list[float]:
    """The steps in the order of `STEPS`."""
    events, gaps = steps.events, steps.events - 1
    enough = gaps >= _ENOUGH_GAPS
    return [
        math.log1p(events),
        steps.downloads / events,
        steps.errors / events,
        -steps.gap if gaps else 0.0,
        -math.log(max(_LEAST_VARIANCE, steps.gap_squares / gaps)) if enough else 0.0,
        math.log1p(steps.bytes_out),
        float(len(steps.services)),
        float(max(0, len(steps.prefixes) - 1)),
        1.0 - len(steps.actions) / min(events, MOST_NAMES) if enough else 0.0,
    ]


def _with(names: list[str], name: str) -> list[str]:
    """The names with this one; the same list where it is among them, for nothing here is changed in place."""
    if not name or name in names or len(names) >= MOST_NAMES:
        return names
    kept = name[:_LONGEST_NAME]
    return names if kept in names else [*names, kept]
