"""What a detector is. Each has a small file of its own in `detectors`."""

from collections.abc import Mapping
from typing import Protocol

from risk_scorer.core.activity.finding import Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, Scope
from risk_scorer.core.activity.seen import Seen

Family = str
"""Detectors that see the same fact from two sides are of one family: together they add no more than it allows."""


class Detector(Protocol):
    """Subclass it and say `name` and `family`; methods that are not needed stay as they are and cost nothing.

    For each event the engine calls `look` of all, then `learn` of all if the session is not suspicious, then `note` of
    all: `look` and `learn` see the session as it was before this event. All that a detector
    remembers is in `Around` under its `name`, in the `Part` that `parts` names for that scope; at most it holds what it
    made of the event that it looked at last, to spare the same arithmetic.
    Time is `seen.ts`.
    """

    name: str
    family: Family
    warm_up: str
    """What must have been seen before it speaks, in words."""
    texts: Mapping[str, str]
    """Every code that it may find → a sentence for an analyst."""
    parts: Mapping[Scope, type[Part]] = {}
    is_taken_back: bool = True
    """Whether what a session taught of its person is undone when it turns out to be suspicious: where `learn` alone
    writes in the person's part. Where `note` does too, `learn` has to take care itself."""

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        """What this event says against the person: `None` nothing, `UNKNOWN` while warming up. Changes nothing."""

    def learn(self, seen: Seen, around: Around) -> None:
        """Baselines: what is usual. Never called for an event of a suspicious session, so that no attack teaches."""
        return

    def note(self, seen: Seen, around: Around) -> None:
        """Short-lived facts of the present, of every event: what the session has done so far."""
        return
