"""Decisions that come by themselves, on their way to the rows of their logins."""

from __future__ import annotations

from collections.abc import Sequence

from plumbing.clock import Clock
from plumbing.database import Database
from risk_scorer.adapters.console.told_words import say_decisions
from risk_scorer.contract.decisions import Decision


class DecisionWords:
    """Keeps them on the disk before the answer."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def say(self, decisions: Sequence[Decision]) -> None:
        """Keep them, durably, until they are in the rows of their logins. Raises: Refused."""
        now = self._clock.now()
        await self._database.write(lambda tx: say_decisions(tx, decisions, now))
