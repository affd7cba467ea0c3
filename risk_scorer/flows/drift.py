"""Counts what live logins look like, and says when they are no longer what the model in use was fitted on.

Counting is a part of scoring; what was counted is kept within a minute, so a sudden death loses a minute of statistics
and nothing else. Looking at it is a job of its own, once an hour. Nothing here changes a score: it fails open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.core.drift_marks import Marks
from risk_scorer.core.drift_report import Day, DriftReport, Live, Looked, Verdict, report
from risk_scorer.core.model import Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.reference import Vector, named, width
from risk_scorer.core.scoring import Scored
from risk_scorer.core.tally import Tally, is_counted
from risk_scorer.flows.announce import drift_message
from risk_scorer.flows.ports import Announcement, Models

KEEP_SECONDS: Final = 60.0
ROUND_SECONDS: Final = 3600.0
DAY_SECONDS: Final = 86_400.0
FEEDBACK_DAYS: Final = 30
"""Verdicts come late and are few: they are looked at over a longer time than logins."""
MOST_WAITING: Final = 16
"""Days and models whose counts wait for the database; past them, what is counted is let go."""

log = structlog.get_logger(__name__)


class DriftStore(Protocol):
    """What is kept of live logins, by model and day, and what was last found."""

    async def add(self, counts: Mapping[Day, Vector]) -> None:
        """Add to what is kept, durably. Raises: Refused."""
        ...

    async def summed(self, model_version: str, first_day: int, length: int) -> Vector:
        """What that model counted from that day on, as a vector of this length. Raises: Refused."""
        ...

    async def verdicts(self, model_version: str, since: float) -> list[Verdict]:
        """The newest verdicts that came since then on logins which that model scored. Raises: Refused."""
        ...

    async def is_due(self, before: float, *, now: float) -> bool:
        """Whether the last look was before that; the first time it only remembers when. Raises: Refused."""
        ...

    async def latest(self) -> Looked | None:
        """What was last found. Raises: Refused."""
        ...

    async def settle(self, found: DriftReport, *, after: Looked | None, message: Announcement | None) -> bool:
        """Keep what was found and announce it, in one transaction, unless somebody else looked since `after`.

        Raises: Refused.
        """
        ...


class LiveCounts:
    """What was scored since it was last kept. Belongs to the event loop."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._at: Day | None = None
        self._tally: Tally | None = None
        self._waiting: dict[Day, Vector] = {}

    def take(self, model: Model, observations: Sequence[Observation], scored: Scored) -> None:
        """Count these logins of people, scored by that model; one without a reference counts nothing."""
        at = (model.version, int(self._clock.now() // DAY_SECONDS))
        if at != self._at:
            self._turn(at, model)
        if self._tally is not None:
            numbers = (scored.features, scored.signals, scored.weighed.total, scored.score)
            self._tally.take(numbers, is_counted(observations))

    def _turn(self, at: Day, model: Model) -> None:
        self._set_aside()
        self._at = at
        self._tally = None if model.reference is None else Tally(model.reference)

    def _set_aside(self) -> None:
        if self._tally is not None and self._at is not None and self._tally.counts[0]:
            self.give_back({self._at: self._tally.drain()})

    def drain(self) -> dict[Day, Vector]:
        """What was counted, by model and day; from now on it counts anew."""
        self._set_aside()
        waiting, self._waiting = self._waiting, {}
        return waiting

    def give_back(self, counts: dict[Day, Vector]) -> None:
        """What could not be kept is told again by the next `drain`."""
        for at, vector in counts.items():
            if at in self._waiting:
                self._waiting[at] = self._waiting[at] + vector
            elif len(self._waiting) < MOST_WAITING:
                self._waiting[at] = vector


@dataclass(frozen=True, kw_only=True)
class DriftTerms:
    """What is too far, over how many days one looks, and in whose name it is announced."""

    marks: Marks
    window_days: int
    tenant: str


class DriftWatch:
    """Keeps the counts, and looks at them."""

    def __init__(
        self,
        *,
        models: Models,
        counts: LiveCounts,
        store: DriftStore,
        clock: Clock,
        terms: DriftTerms,
        tables_age_days: Callable[[float], float | None],
    ) -> None:
        self._models = models
        self._counts = counts
        self._store = store
        self._clock = clock
        self._terms = terms
        self._tables_age_days = tables_age_days

    async def keep(self) -> None:
        """Add what was counted to what is kept. Raises: Refused; then it waits for the next time."""
        counts = self._counts.drain()
        try:
            if counts:
                await self._store.add(counts)
        except Refused:
            self._counts.give_back(counts)
            raise

    async def keep_again_and_again(self) -> None:
        """Keep what was counted once a minute, for ever; every process that scores does."""
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            try:
                await self.keep()
            except Refused as refused:
                log.warning("drift_counts_not_kept", reason=refused.code)

    async def look_again_and_again(self) -> None:
        """Look once an hour, for ever, however often the process starts anew; one process of those on a state does."""
        while True:
            try:
                if await self._store.is_due(self._clock.now() - ROUND_SECONDS, now=self._clock.now()):
                    await self.look()
            except Refused as refused:
                log.warning("drift_not_looked_at", reason=refused.code)
            await asyncio.sleep(KEEP_SECONDS)

    async def look(self) -> DriftReport | None:
        """Look now, and announce when that is a change; None without a model that can be watched. Raises: Refused."""
        model = self._models.current()
        if model is None or model.reference is None:
            return None
        await self.keep()
        before = await self._store.latest()
        past_before = () if before is None else before.past
        is_same = before is not None and before.report is not None and before.report.model_version == model.version
        live, marks = await self._live(model), self._terms.marks
        found = await asyncio.to_thread(report, model, live, marks, was=past_before if is_same else ())
        message: Announcement | None = None
        if bool(past_before) != bool(found.past):
            number = 1 if before is None else before.changes + 1
            reason = "recovered" if is_same else "another_model"
            message = drift_message(found, past_before, because=reason, number=number, tenant=self._terms.tenant)
            told = {"past": list(found.past), "past_before": list(past_before)}
            log.warning("model_drift", model_version=model.version, **told)
        await self._store.settle(found, after=before, message=message)
        return found

    async def _live(self, model: Model) -> Live:
        now, reference = self._clock.now(), model.reference
        if reference is None:
            raise ValueError("the model was made without a reference")
        first_day = int(now // DAY_SECONDS) - self._terms.window_days + 1
        vector = await self._store.summed(model.version, first_day, width(reference))
        verdicts = await self._store.verdicts(model.version, since=now - FEEDBACK_DAYS * DAY_SECONDS)
        return Live(
            counts=named(reference, vector),
            verdicts=verdicts,
            ip_data_days=self._tables_age_days(now),
            since=first_day * DAY_SECONDS,
            until=now,
        )
