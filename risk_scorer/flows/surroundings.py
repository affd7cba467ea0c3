"""What is being tried around the logins that are scored: heard from ended logins, asked at every score.

The memory is this process's own (`core.pressure`); what was heard on the newest day is heard again after a restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from plumbing.clock import Clock
from risk_scorer.core.facts import Pressure
from risk_scorer.core.lessons import Taught
from risk_scorer.core.observation import Observation
from risk_scorer.core.pressure import REMEMBERED_SECONDS, Crowd
from risk_scorer.flows.ports import RecentLessons


class Surroundings:
    """The crowd as of our own clock: whatever an event says of its time, it did not happen later than now."""

    def __init__(self, *, clock: Clock, crowd: Crowd | None = None) -> None:
        self._clock = clock
        self._crowd = crowd or Crowd()

    def recall(self, lessons: RecentLessons) -> int:
        """Hear the newest day again, before anything is scored; how many lessons. Blocks. Raises: Refused."""
        return self.hear(lessons.recent_lessons(self._clock.now() - REMEMBERED_SECONDS))

    def hear(self, lessons: Iterable[Taught]) -> int:
        """Count how these logins ended, each to be told once; how many they were."""
        now, learn, heard = self._clock.now(), self._crowd.learn, 0
        for lesson in lessons:
            learn(lesson, lesson.outcome, now=now)
            heard += 1
        return heard

    def around(self, observations: Sequence[Observation]) -> list[Pressure]:
        """The pressure on each of these logins, which changes nothing."""
        now, around = self._clock.now(), self._crowd.around
        return [around(seen, now=now) for seen in observations]
