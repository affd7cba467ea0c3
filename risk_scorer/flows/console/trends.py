"""Weekly trends: the named views behind them are read once for all who look, beside the pages, and kept for minutes.

A view over half a year reads all of it, which takes longer than a page may: a page waits a moment for it, and says that
it is still being counted.
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
from risk_scorer.core.console.trends import VIEWS, WEEK_SECONDS, weeks_until
from risk_scorer.core.console.view_rows import in_a_query

KEPT_SECONDS: Final = 300.0
"""Weeks are not looked at by the minute."""
WAIT_SECONDS: Final = 2.0
"""As long as a page waits for what is being counted."""
MOST_ROWS: Final = "200"

log = structlog.get_logger(__name__)


class Answers(Protocol):
    async def ask(self, name: str, values: Mapping[str, Value]) -> list[dict[str, Any]]:
        """The rows of this view. Raises: Refused."""
        ...


class Counted(Struct, frozen=True, kw_only=True):
    """The rows of each view over these weeks, or the code of why there are none, and when they were counted."""

    weeks: tuple[float, ...]
    rows: dict[str, list[dict[str, Any]]]
    problems: dict[str, str]
    queries: dict[str, dict[str, str]]
    counted_at: float


class Trends:
    """Counts, and remembers."""

    def __init__(self, views: Sequence[View], answers: Answers, *, clock: Clock) -> None:
        self._views = {view.name: view for view in views if view.name in VIEWS}
        self._answers = answers
        self._clock = clock
        self._known: dict[int, Counted] = {}
        self._counting: dict[int, asyncio.Task[Counted]] = {}

    async def of(self, weeks: int) -> Counted | None:
        """What is known of so many weeks, at most minutes old; None while it is counted for the first time."""
        known = self._known.get(weeks)
        if known is not None and 0.0 <= self._clock.now() - known.counted_at < KEPT_SECONDS:
            return known
        task = self._counting.get(weeks)
        if task is None or task.done():
            task = self._counting[weeks] = asyncio.create_task(self._count(weeks))
        done, _ = await asyncio.wait([task], timeout=WAIT_SECONDS)
        return task.result() if done else known

    @property
    def counting(self) -> tuple[asyncio.Task[Counted], ...]:
        """What is being counted now, or was counted last."""
        return tuple(self._counting.values())

    async def _count(self, weeks: int) -> Counted:
        now = self._clock.now()
        starts = weeks_until(now, weeks)
        found = Counted(weeks=starts, rows={}, problems={}, queries={}, counted_at=now)
        span = {"since": f"{starts[0]:.0f}", "until": f"{starts[-1] + WEEK_SECONDS:.0f}", "limit": MOST_ROWS}
        for name, view in self._views.items():
            values = asked(view, span, now=now)
            found.queries[name] = in_a_query(view, values)
            try:
                found.rows[name] = await self._answers.ask(name, values)
            except Refused as refused:
                log.warning("trend_not_counted", view=name, reason=refused.code)
                found.problems[name] = refused.code
        self._known[weeks] = found
        return found
