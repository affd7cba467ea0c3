"""What a session's window says in numbers, against the person's own sessions and, until there are some, everybody's.

The same lines make the numbers at training, in live scoring and for `POST /predict`. Hours and days are UTC: what
counts is how they deviate from the person's own.
"""

import math
from typing import ClassVar, Final

from msgspec import Struct, field

from risk_scorer.core.activity.memory import Part
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.activity.sketch import digest_of

FEATURES: Final = (
    "session_duration", "events_in_session", "hour_sin", "hour_cos", "day_sin", "day_cos",
    "type_login", "type_logout", "type_view", "type_click", "type_download", "is_mobile",
    "usual_duration", "duration_variability", "usual_events", "typical_hours",
    "duration_deviation", "events_deviation", "hour_deviation",
)  # fmt: skip
"""Of a session so far, then of the person, then how far the one is from the other. Durations and counts as ln(1+x)."""
EVENT_TYPES: Final = ("login", "logout", "view", "click", "download")
EVERYONE_SESSIONS: Final = 4.0
"""Everybody's habits count as so many sessions of the person's own: a prior that the fifth session outweighs."""
IDLE_SECONDS: Final = 1800.0
"""A session that was silent so long counts as over (OWASP ASVS 5.0, 7.3.1)."""
OPEN_SESSIONS: Final = 4
MOST_SESSIONS: Final = 200.0
"""Beyond so many, older sessions fade: people change."""
_DAY_SECONDS = 86_400
_LEAST_SPREAD = 0.3
_FARTHEST = 8.0
"""Deviations end here: beyond it all are as strange."""
_THURSDAY = 3  # 1970-01-01, where Monday is 0


class Row(Struct, frozen=True, kw_only=True, gc=False):
    """A window: the session as it stands at one of its events."""

    user_id: str
    event_type: str
    session_duration_sec: float
    events_in_session: float
    hour_of_day: int
    day_of_week: int
    device_type: str


class Open(Struct, array_like=True, gc=False):
    """A session that may still go on: when it began, when it was last heard of, how many events it had."""

    began: float
    last: float
    events: int


class Habits(Part):
    """A person's finished sessions: how many, mean and spread (sum of squares) of ln(1+x), and the hours they begin."""

    most_bytes: ClassVar[int] = 480
    sessions: float = 0.0
    duration: float = 0.0
    duration_squares: float = 0.0
    events: float = 0.0
    events_squares: float = 0.0
    hours: list[float] = field(default_factory=list)
    open: dict[int, Open] = field(default_factory=dict)


class Everyone(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same of all people together, as means, standard deviations, and a share for each hour."""

    duration: float
    duration_spread: float
    events: float
    events_spread: float
    hours: tuple[float, ...]


class Window(Part):
    """When the session was first heard of, and how many events it has had."""

    most_bytes: ClassVar[int] = 24
    began: float = 0.0
    events: int = 0


def row_of(seen: Seen, window: Window | None) -> Row:
    """The session as it stands with this event; `window` is what was noted before it."""
    began = seen.ts if window is None or not window.events else window.began
    day, second = divmod(int(seen.ts), _DAY_SECONDS)
    return Row(
        user_id=seen.user_id,
        event_type=seen.event_type,
        session_duration_sec=max(0.0, seen.ts - began),
        events_in_session=1 if window is None else window.events + 1,
        hour_of_day=second // 3600,
        day_of_week=(day + _THURSDAY) % 7,
        device_type=seen.device_type,
    )


def vector(row: Row, habits: Habits | None, everyone: Everyone) -> list[float]:
    """The window in the order of `FEATURES`."""
    known = 0.0 if habits is None else habits.sessions
    share, total = known / (known + EVERYONE_SESSIONS), known + EVERYONE_SESSIONS
    usual_duration, usual_events = everyone.duration, everyone.events
    duration_variance, events_variance = everyone.duration_spread**2, everyone.events_spread**2
    if habits is not None and known:
        usual_duration += share * (habits.duration - usual_duration)
        usual_events += share * (habits.events - usual_events)
        duration_variance += share * (habits.duration_squares / known - duration_variance)
        events_variance += share * (habits.events_squares / known - events_variance)
    duration, events = math.log1p(row.session_duration_sec), math.log1p(row.events_in_session)
    spread = max(_LEAST_SPREAD, math.sqrt(duration_variance))
    at_hour = _share_at(row.hour_of_day, habits, everyone, total)
    turn, week = math.tau * row.hour_of_day / 24, math.tau * row.day_of_week / 7
    kinds = [1.0 if row.event_type == kind else 0.0 for kind in EVENT_TYPES]
    return [
        duration, events, math.sin(turn), math.cos(turn), math.sin(week), math.cos(week), *kinds,
        0.0 if row.device_type == "desktop" else 1.0,
        usual_duration, spread, usual_events, at_hour,
        _within((duration - usual_duration) / spread),
        _within((events - usual_events) / max(_LEAST_SPREAD, math.sqrt(events_variance))),
        _within(-math.log(at_hour)),
    ]  # fmt: skip


def learn(habits: Habits, seen: Seen) -> None:
    """The event's session is one of the person's; those that are over since become habits."""
    name = digest_of(seen.session_id or seen.user_id)
    found = habits.open.get(name)
    if found is not None:
        found.last, found.events = max(found.last, seen.ts), found.events + 1
        return
    over = [key for key, each in habits.open.items() if each.last < seen.ts - IDLE_SECONDS]
    if not over and len(habits.open) >= OPEN_SESSIONS:
        over = [next(iter(habits.open))]
    for key in over:
        _finish(habits, habits.open.pop(key))
    habits.open[name] = Open(seen.ts, seen.ts, 1)


def note(window: Window, seen: Seen) -> None:
    """The session has had this event."""
    window.began = window.began if window.events else seen.ts
    window.events += 1


def _finish(habits: Habits, over: Open) -> None:
    if habits.sessions >= MOST_SESSIONS:
        habits.sessions *= 0.5
        habits.duration_squares *= 0.5
        habits.events_squares *= 0.5
        habits.hours = [count * 0.5 for count in habits.hours]
    habits.sessions += 1.0
    duration, events = math.log1p(over.last - over.began), math.log1p(over.events)
    before, before_events = duration - habits.duration, events - habits.events
    habits.duration += before / habits.sessions
    habits.events += before_events / habits.sessions
    habits.duration_squares += before * (duration - habits.duration)
    habits.events_squares += before_events * (events - habits.events)
    if not habits.hours:
        habits.hours = [0.0] * 24
    habits.hours[int(over.began) % _DAY_SECONDS // 3600] += 1.0


def _share_at(hour: int, habits: Habits | None, everyone: Everyone, total: float) -> float:
    """The share of sessions that begin within an hour of this one."""
    near = (hour - 1, hour, (hour + 1) % 24)
    found = EVERYONE_SESSIONS * sum([everyone.hours[each] for each in near])
    if habits is not None and habits.hours:
        found += sum([habits.hours[each] for each in near])
    return max(1e-3, found / total)


def _within(deviation: float) -> float:
    return max(-_FARTHEST, min(_FARTHEST, deviation))
