"""Weekly trends: the named views behind them are read week by week for all who look, beside the pages, and kept.

A week of ten million logins is read within seconds, half a year of them is not: so no question is ever over more than a
week, a page shows the weeks that are known and says how many are still being counted, and nobody waits for one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import structlog
from msgspec import Struct

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.core.abuse.view import Value, View, asked
from risk_scorer.core.console.trends import MOST_WEEKS, VIEWS, WEEK_SECONDS, weeks_until
from risk_scorer.core.console.view_rows import in_a_query

KEPT_SECONDS: Final = 300.0
"""The week that runs: nobody looks at weeks by the minute."""
PAST_SECONDS: Final = 3600.0
"""Those before it, of which a verdict or the end of an incident still comes in."""
WAIT_SECONDS: Final = 0.1
"""As long as a page waits for what is being counted."""
MOST_ROWS: Final = "200"

log = structlog.get_logger(__name__)


class Answers(Protocol):
    async def ask(self, name: str, values: Mapping[str, Value]) -> list[dict[str, Any]]:
        """The rows of this view. Raises: Refused."""
        ...


class Counted(Struct, frozen=True, kw_only=True):
    """The rows of each view over these weeks, or the code of why there are none. The week that runs was counted at
    `counted_at`, the others since `earliest_at`; `missing` weeks before them are still being counted, and `is_old`
    where newer figures are on their way."""

    weeks: tuple[float, ...]
    rows: dict[str, list[dict[str, Any]]]
    problems: dict[str, str]
    queries: dict[str, dict[str, str]]
    counted_at: float
    earliest_at: float
    missing: int
    is_old: bool


class _Week(Struct, frozen=True):
    """What is known of one week."""

    at: float
    rows: dict[str, list[dict[str, Any]]]
    problems: dict[str, str]


class Trends:
    """Counts, the newest week first, and remembers."""

    def __init__(self, views: Sequence[View], answers: Answers, *, clock: Clock) -> None:
        self._views = {view.name: view for view in views if view.name in VIEWS}
        self._answers = answers
        self._clock = clock
        self._known: dict[float, _Week] = {}
        self._wanted: tuple[float, ...] = ()
        self.counting: asyncio.Task[None] | None = None

    async def of(self, weeks: int) -> Counted | None:
        """What is known of the last so many weeks; None while the one that runs is counted for the first time."""
        starts = weeks_until(self._clock.now(), weeks)
        is_counting = self.counting is not None and not self.counting.done()
        self._wanted = max(self._wanted, starts, key=len) if is_counting else starts
        if self._next() is not None:
            await self._wait()
        unknown = next((at for at, start in enumerate(reversed(starts)) if start not in self._known), len(starts))
        known = starts[len(starts) - unknown :]
        return self._summed(known, missing=len(starts) - len(known)) if known else None

    async def _wait(self) -> None:
        if self.counting is None or self.counting.done():
            self.counting = asyncio.create_task(self._count())
        done, _ = await asyncio.wait([self.counting], timeout=WAIT_SECONDS)
        for task in done:
            task.result()

    def _summed(self, starts: Sequence[float], *, missing: int) -> Counted:
        found = [self._known[start] for start in starts]
        problems = {name: code for week in found for name, code in week.problems.items()}
        values = {name: asked(view, _span(starts), now=self._clock.now()) for name, view in self._views.items()}
        return Counted(
            weeks=tuple(starts),
            rows={
                name: [row for week in found for row in week.rows[name]] for name in self._views if name not in problems
            },
            problems=problems,
            queries={name: in_a_query(self._views[name], each) for name, each in values.items()},
            counted_at=found[-1].at,
            earliest_at=min(week.at for week in found),
            missing=missing,
            is_old=any(self._is_due(start) for start in starts),
        )

    def _is_due(self, start: float) -> bool:
        known, now = self._known.get(start), self._clock.now()
        kept = KEPT_SECONDS if now < start + WEEK_SECONDS else PAST_SECONDS
        return known is None or not 0.0 <= now - known.at < kept

    def _next(self) -> float | None:
        return next((start for start in reversed(self._wanted) if self._is_due(start)), None)

    async def _count(self) -> None:
        """Until all that anybody wants is known; the widest look since it began is what is wanted."""
        while (start := self._next()) is not None:
            self._known[start] = await self._week(start)
        self._wanted = ()
        for old in sorted(self._known)[: -MOST_WEEKS - 1]:
            del self._known[old]

    async def _week(self, start: float) -> _Week:
        found = _Week(at=self._clock.now(), rows={}, problems={})
        for name, view in self._views.items():
            values = asked(view, _span([start]), now=found.at)
            try:
                found.rows[name] = await self._answers.ask(name, values)
            except Refused as refused:
                log.warning("trend_not_counted", view=name, week=start, reason=refused.code)
                found.problems[name] = refused.code
        return found


def _span(starts: Sequence[float]) -> dict[str, str]:
    return {"since": f"{starts[0]:.0f}", "until": f"{starts[-1] + WEEK_SECONDS:.0f}", "limit": MOST_ROWS}
