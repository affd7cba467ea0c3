"""Scores what arrives at the same moment in one go: a batch costs little more than one event in it.

Nobody waits for company: whatever has arrived when the event loop comes round is scored then, alone or together. Since
one event is a batch of one, the numbers are the same either way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from risk_scorer.contract.assessment import RiskScore
from risk_scorer.core.observation import Observation

MOST_TOGETHER: Final = 64
"""A few milliseconds of work; what is more waits for the next round of the loop."""

ScoreMany = Callable[[list[Observation]], list[RiskScore]]


class Together:
    """Collects observations for one round of the event loop."""

    def __init__(self, score_many: ScoreMany) -> None:
        self._score_many = score_many
        self._waiting: list[tuple[Observation, asyncio.Future[RiskScore]]] = []

    async def score(self, observation: Observation) -> RiskScore:
        """The score of this observation, made with those of everybody who asks in the same round.

        Raises whatever scoring raises: a missing model or an unreadable storage is everybody's.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[RiskScore] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._score_waiting)
        self._waiting.append((observation, future))
        return await future

    def _score_waiting(self) -> None:
        batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._score_waiting)
        try:
            scores = self._score_many([observation for observation, _ in batch])
        except Exception as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), score in zip(batch, scores, strict=True):
            if not future.done():  # its caller may have gone meanwhile
                future.set_result(score)
