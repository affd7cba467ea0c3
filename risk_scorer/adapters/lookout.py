"""Looking for another model while we serve: one look at a time, each on an errand that nobody has to wait for.

What a look finds, and what becomes of a bad model, belongs to whoever looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from risk_scorer.adapters.errand import Errand

WATCH_SECONDS: Final = 2.0
PATIENCE_SECONDS: Final = 10.0
"""A place that hangs keeps the scorer neither from serving nor from ending."""


def _never_mind(_seconds: float) -> None:
    return None


class Lookout:
    """Sends for models. Use it from the event loop."""

    def __init__(self, name: str, *, late: Callable[[float], None] = _never_mind) -> None:
        """`name` is the threads'; `late` is told how long was waited for a look that goes on."""
        self._name = name
        self._late = late
        self._errand: Errand | None = None

    async def send(self, look: Callable[[], object], *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Look once, and wait some seconds for the end of it. Nothing happens while a look is under way: one that hangs
        is the only one."""
        if self._errand is not None and self._errand.is_under_way:
            return
        self._errand = Errand(look, name=self._name)
        try:
            await self._errand.wait(patience_seconds)
        except TimeoutError:
            self._late(patience_seconds)

    async def again_and_again(
        self,
        look: Callable[[], object],
        *,
        every_seconds: float = WATCH_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Look every so often, for ever."""
        while True:
            await asyncio.sleep(every_seconds)
            await self.send(look, patience_seconds=patience_seconds)
