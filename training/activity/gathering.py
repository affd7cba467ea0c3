"""What the two learned parts are fitted on: windows and sequences of a log, taken where live scoring would ask."""

import collections
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.activity.detectors.attack_sequence import ENOUGH_EVENTS, AttackSequence
from risk_scorer.core.activity.detectors.session_window import SessionWindow
from risk_scorer.core.activity.evidence import NAME as EVIDENCE
from risk_scorer.core.activity.finding import UNKNOWN, Finding, Unknown
from risk_scorer.core.activity.memory import Around
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.session_model import window
from risk_scorer.core.session_model.model import found_nats
from risk_scorer.core.session_model.sequence import FOUND, STEPS, Steps, advanced, numbers
from risk_scorer.core.session_model.window import Everyone
from training.activity.reading import Label

Matrix = NDArray[np.float64]
_SMOOTHING = 0.5
_LEAST_SPREAD = 0.3


def everyone_in(log: Iterable[Seen], until: float) -> Everyone:
    """Habits of all people together, of the sessions before a moment."""
    spans: dict[str, list[float]] = {}
    for seen in log:
        if seen.ts >= until:
            break
        found = spans.setdefault(seen.session_id, [seen.ts, seen.ts, 0.0])
        found[1], found[2] = seen.ts, found[2] + 1.0
    durations = np.array([math.log1p(last - first) for first, last, _ in spans.values()])
    events = np.array([math.log1p(count) for _, _, count in spans.values()])
    hours = np.full(24, _SMOOTHING)
    for first, _, _ in spans.values():
        hours[int(first) % 86_400 // 3600] += 1.0
    return Everyone(
        duration=float(durations.mean()),
        duration_spread=max(_LEAST_SPREAD, float(durations.std())),
        events=float(events.mean()),
        events_spread=max(_LEAST_SPREAD, float(events.std())),
        hours=tuple((hours / hours.sum()).tolist()),
    )


class GatheredWindows(SessionWindow):
    """Keeps the windows of the 1st, 2nd, 4th, 8th … event of each session, logins among them, and finds nothing."""

    def __init__(self, everyone: Everyone, starts: float, ends: float) -> None:
        super().__init__(lambda: None)
        self._everyone = everyone
        self._from, self._until = starts, ends
        self.rows: list[list[float]] = []

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        row = window.row_of(seen, around.session.get(self.name))
        count = int(row.events_in_session)
        if self._from <= seen.ts < self._until and not count & (count - 1):
            self.rows.append(window.vector(row, around.person.get(self.name), self._everyone))
        return UNKNOWN


class GatheredSequences(AttackSequence):
    """Keeps what the predictor would see at some events of each session, and whether somebody hostile had acted."""

    def __init__(self, labels: Mapping[str, Label], starts: float, ends: float) -> None:
        super().__init__(lambda: None)
        self._labels = labels
        self._from, self._until = starts, ends
        self._hostile: set[str] = set()
        self.rows: list[dict[str, float]] = []
        self.is_hostile: list[bool] = []
        self.sessions: list[str] = []

    def look(self, seen: Seen, around: Around) -> Finding | Unknown | None:
        label = self._labels.get(seen.session_id)
        if label is not None and seen.event_id in label.hostile:
            self._hostile.add(seen.session_id)
        steps: Steps = advanced(around.session.get(self.name), seen)
        if self._from <= seen.ts < self._until and steps.events >= ENOUGH_EVENTS and _is_sampled(steps.events):
            found = found_nats(around.session.get(EVIDENCE))
            held = {FOUND + name: nats for name, nats in found.items()}
            self.rows.append(dict(zip(STEPS, numbers(steps), strict=True)) | held)
            self.is_hostile.append(seen.session_id in self._hostile)
            self.sessions.append(seen.session_id)
        return UNKNOWN

    def matrix(self, names: Sequence[str]) -> Matrix:
        """(rows, names); what a row lacks is 0."""
        return np.array([[row.get(name, 0.0) for name in names] for row in self.rows]).reshape(-1, len(names))

    def weights(self) -> Matrix:
        """Each session counts once, whatever its length; within it its hostile part as much as the other."""
        sizes = collections.Counter(zip(self.sessions, self.is_hostile, strict=True))
        return np.array([1.0 / sizes[key] for key in zip(self.sessions, self.is_hostile, strict=True)])


def _is_sampled(events: int) -> bool:
    """3, 4, 6, 8, 12, 16, 24 …: long sessions give hardly more rows than short ones."""
    while events % 2 == 0:
        events //= 2
    return events in (1, 3)
