"""New rows of the console while somebody looks: one look at the database every moment for all who look at this process,
whichever process took the rows from the log. Nobody looks: nothing is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog
from msgspec import Struct

from plumbing.refusals import Refused
from risk_scorer.core.console.sign_in import SAID, SignIn

LOOK_SECONDS: Final = 0.2
PAUSE_SECONDS: Final = 2.0
"""After a look that the database refused."""
MOST_NEW: Final = 500
"""Rows of one look, and those that somebody gets who was away: what is older is on the page's next load."""
RECENT: Final = 200
"""Rows that are looked at again for what was said of them since."""

log = structlog.get_logger(__name__)


class NewestRows(Protocol):
    """Both raise Refused."""

    async def last(self) -> int:
        """The number of the newest row."""
        ...

    async def above(self, seq: int, most: int) -> list[SignIn]:
        """Those with a higher number, the newest first."""
        ...


class News(Struct, frozen=True):
    """What a look found: new rows in their order, rows of which something was said with what they were before, and the
    number up to which this is. `is_whole` is False when there were more new ones than a look takes."""

    new: list[SignIn]
    said: list[tuple[SignIn, SignIn]]
    at: int
    is_whole: bool


Publish = Callable[[News], None]


class LiveSignIns:
    """Looks as long as `is_watched`. Lives on the event loop."""

    def __init__(self, rows: NewestRows, *, publish: Publish, is_watched: Callable[[], bool]) -> None:
        self._rows = rows
        self._publish = publish
        self._is_watched = is_watched
        self._work: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()
        self._known: dict[int, SignIn] = {}
        self.at = 0

    async def begin(self) -> None:
        """Look from now on; the rows before `at` were there already. Raises: Refused."""
        async with self._beginning:
            if self._work is None or self._work.done():
                self.at, self._known = await self._rows.last(), {}
                self._work = asyncio.create_task(self._look_again_and_again())

    async def since(self, seq: int, until: int) -> News:
        """What somebody missed who had seen everything up to that number. Raises: Refused."""
        rows = [row for row in await self._rows.above(seq, MOST_NEW + 1) if row.seq <= until]
        return News(rows[MOST_NEW - 1 :: -1], [], max(seq, until), len(rows) <= MOST_NEW)

    def stop(self) -> None:
        """Look no more."""
        if self._work is not None:
            self._work.cancel()

    async def look(self) -> News:
        """One look. Raises: Refused."""
        rows = await self._rows.above(self.at - RECENT, RECENT + MOST_NEW)
        new = [row for row in reversed(rows) if row.seq > self.at]
        said = [
            (before, row) for row in reversed(rows) if (before := self._known.get(row.seq)) and _is_other(before, row)
        ]
        is_whole = len(rows) < RECENT + MOST_NEW
        self._known = {row.seq: row for row in rows[:RECENT]}
        # A file gives the numbers of its newest rows again, once they were erased.
        self.at = rows[0].seq if rows else self.at
        return News(new, said, self.at, is_whole)

    async def _look_again_and_again(self) -> None:
        while self._is_watched():
            try:
                news = await self.look()
            except Refused as refused:
                log.warning("live_rows_not_read", reason=refused.code)
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if news.new or news.said:
                self._publish(news)
            await asyncio.sleep(LOOK_SECONDS)


def _is_other(before: SignIn, now: SignIn) -> bool:
    return any(getattr(before, name) != getattr(now, name) for name in SAID)
