"""How often each rule of the policy answered within a day and a week: counted from the newest recorded decisions, as
many as can be looked at while somebody waits, and kept for a moment.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import msgspec

from auth_gateway.core.policy_counts import SPANS, Counts, Recorded, Span, counted
from auth_gateway.flows.ports import Clock, RecordedDecisions
from plumbing.database import Database

MOST_DECISIONS: Final = 100_000
KEPT_SECONDS: Final = 5.0
"""So long the same counts are told again: a page that is loaded often costs one count."""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one span up to `until`. One that is not whole begins only at `since`: there were more decisions."""

    since: float
    until: float
    is_whole: bool
    counts: Counts


@dataclass(slots=True, kw_only=True)
class PolicyStatistics:
    """Counts decisions. Blocks: for a thread."""

    database: Database
    clock: Clock
    decisions: RecordedDecisions
    monotonic: Callable[[], float]
    most: int = MOST_DECISIONS
    _turn: Lock = field(default_factory=Lock)
    _kept: dict[Span, Counted] = field(default_factory=dict)
    _kept_until: float = 0.0

    def __call__(self) -> dict[Span, Counted]:
        """Those of each span. Refreshes that went through are not among them."""
        with self._turn:
            if self.monotonic() >= self._kept_until:
                self._kept = self._counted()
                self._kept_until = self.monotonic() + KEPT_SECONDS
            return self._kept

    def _counted(self) -> dict[Span, Counted]:
        now = self.clock.now()
        found = self.database.read(
            lambda tx: self.decisions.latest(tx, since=now - max(SPANS.values()), most=self.most)
        )
        return {span: self._of(found, now, now - seconds) for span, seconds in SPANS.items()}

    def _of(self, found: list[Recorded], now: float, since: float) -> Counted:
        is_whole = len(found) < self.most or found[-1].ts < since
        begins = since if is_whole else found[-1].ts
        return Counted(since=begins, until=now, is_whole=is_whole, counts=counted(found, begins))
