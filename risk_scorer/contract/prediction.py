"""What `/predict` accepts and answers: windows of sessions, and how unusual each is."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from risk_scorer.contract.events import Name

MAX_ROWS: Final = 10_000
MAX_ROWS_BYTES: Final = 4 * 1024 * 1024

Seconds = Annotated[float, Meta(ge=0, le=31_536_000)]
"""At most a year."""
Word = Annotated[str, Meta(min_length=1, max_length=32)]
Number = Annotated[int, Meta(ge=-(2**53), le=2**53)]


class BehaviourRow(Struct, frozen=True, kw_only=True, gc=False):
    """A session as it stands at one of its events: hours and days (Monday 0) are UTC; unknown fields are ignored.

    What is usual for the person is ours to know, so a row that tells it is not believed.
    """

    user_id: Name | Number
    event_type: Word
    session_duration_sec: Seconds
    events_in_session: Annotated[int, Meta(ge=0, le=10_000_000)]
    hour_of_day: Annotated[int, Meta(ge=0, le=23)]
    day_of_week: Annotated[int, Meta(ge=0, le=6)]
    device_type: Word


class Anomaly(Struct, frozen=True, kw_only=True, gc=False):
    """How unusual the window is: above 0 more than `threshold_percentile` of those that the model was trained on.

    `baseline` says whose habits it was held against: the person's own, or everyone's where we know none of the person.
    """

    anomaly_score: float
    is_anomaly: bool
    threshold_percentile: float
    baseline: Literal["person", "everyone"]


class SessionQuery(Struct, frozen=True, kw_only=True):
    """Which session `/score-session` is asked about. What is usual is not the caller's to say, so it is not read."""

    session_id: Name


class TaskAccepted(Struct, frozen=True, kw_only=True):
    """The id to ask for."""

    task_id: str
