"""What histories learn from: how logins ended, and nothing else.

Scoring never learns, so an attacker cannot teach it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from plumbing.clock import Clock
from risk_scorer.contract.feedback import Outcome
from risk_scorer.core.observation import BadEvent
from risk_scorer.flows.observe import Observer, refused
from risk_scorer.flows.ports import Histories, Lesson

MOST_AHEAD_SECONDS = 86_400.0
AHEAD = "timestamp lies more than a day ahead of our clock"


class Learn:
    """Take the reports of finished logins."""

    def __init__(self, *, observer: Observer, histories: Histories, clock: Clock) -> None:
        self._observer = observer
        self._histories = histories
        self._clock = clock

    async def outcomes(self, outcomes: Sequence[Outcome], *, path: str | None) -> int:
        """Learn all or none of them, durably; how many were new. Raises: Refused (see `lessons`)."""
        return await self._histories.learn(self.lessons(outcomes, path=path))

    async def learn(self, lessons: Sequence[Lesson]) -> int:
        """Learn what was not learned before, durably; how many were new. Raises: Refused."""
        return await self._histories.learn(lessons)

    def lessons(self, outcomes: Sequence[Outcome], *, path: str | None) -> list[Lesson]:
        """What these reports teach, checked; nothing is learned yet.

        `path` is the list's place in the body, None for a single one.

        An event without a time of its own happened when its login ended. Raises: Refused (422 for an event that cannot
        be observed).
        """
        events = [
            outcome.event
            if outcome.event.timestamp is not None
            else msgspec.structs.replace(outcome.event, timestamp=outcome.ts)
            for outcome in outcomes
        ]

        def where(position: int) -> str:
            return "$.event" if path is None else f"{path}[{position}].event"

        observations = self._observer.observations(
            events,
            [outcome.event_id for outcome in outcomes],
            now=self._clock.now(),
            where=where,
        )
        latest = self._clock.now() + MOST_AHEAD_SECONDS
        for position, observation in enumerate(observations):
            if observation.ts > latest:
                raise refused(BadEvent("invalid_timestamp", "$.timestamp", AHEAD), where(position))
        return [
            Lesson(
                event_id=outcome.event_id,
                observation=observation,
                outcome=outcome.outcome,
                decisions=outcome.decisions,
            )
            for outcome, observation in zip(outcomes, observations, strict=True)
        ]
