"""A session that is long, busy or late in a way that the person's sessions are not: the isolation forest's answer.

Source: Liu, Ting, Zhou 2008, "Isolation Forest". Asked at the 4th, 8th, 16th … event of a session, because a window
changes slowly, before the fourth says hardly more than the hour, and a walk through 200 trees costs more than the rest.
"""

from collections.abc import Callable, Mapping

import numpy as np

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around, Part, Scope
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.session_model import window
from risk_scorer.core.session_model.model import WINDOW_NAME, SessionModel
from risk_scorer.core.session_model.window import Habits, Row, Window

ENOUGH_SESSIONS = 5
"""Of the person's own; before, everybody's habits would speak about somebody whom nobody knows."""
FIRST_ASKED = 4
WEIGHT = 0.5
"""How much of the rarity counts: half, since hours, volume and traffic are seen by detectors of their own."""


class SessionWindow(Detector):
    """Asks the model in use, which may be another one tomorrow, or none."""

    name = WINDOW_NAME
    family = "window"
    warm_up = "a session model, and five sessions of the person"
    texts: Mapping[str, str] = {
        "unusual_session": "Length, number of requests and hour of the session are unusual for this person.",
    }
    parts: Mapping[Scope, type[Part]] = {"person": Habits, "session": Window}

    def __init__(self, current: Callable[[], SessionModel | None]) -> None:
        self._current = current

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        """Rarity beyond the model's mark, in nats."""
        model, habits = self._current(), around.person.get(self.name)
        if model is None or habits is None or habits.sessions < ENOUGH_SESSIONS:
            return UNKNOWN
        known = around.session.get(self.name)
        if not is_asked(1 if known is None else known.events + 1):
            return None
        row = window.row_of(seen, known)
        score = float(model.anomaly_scores(np.array([window.vector(row, habits, model.everyone)]))[0])
        if score < model.threshold:
            return None
        return Finding("unusual_session", WEIGHT * model.rarity(score), _words(row), _usual(habits))

    def learn(self, seen: Seen, around: Around) -> None:
        """A session becomes a habit when it is over."""
        habits = around.person.get(self.name)
        if habits is None:
            habits = around.person[self.name] = Habits()
        window.learn(habits, seen)

    def note(self, seen: Seen, around: Around) -> None:
        """The session's begin and length."""
        known = around.session.get(self.name)
        if known is None:
            known = around.session[self.name] = Window()
        window.note(known, seen)


def is_asked(events: int) -> bool:
    """Whether the model is asked at the session's event of that number."""
    return events >= FIRST_ASKED and not events & (events - 1)


def _words(row: Row) -> str:
    return f"{row.events_in_session:.0f} requests in {row.session_duration_sec / 60:.0f} min at {row.hour_of_day} h UTC"


def _usual(habits: Habits) -> str:
    return f"{np.expm1(habits.events):.0f} requests in {np.expm1(habits.duration) / 60:.0f} min"
