"""What the storage says for the overview, as of one moment."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from risk_scorer.core.console.attention import Waiting
from risk_scorer.core.console.world import Came

HOUR_SECONDS: Final = 3600.0
DAY_SECONDS: Final = 86_400.0
WEEK_SECONDS: Final = 7 * DAY_SECONDS


class RiskySignIn(Struct, frozen=True):
    """One that scored 60 or above within a day."""

    event_id: str
    user_id: str
    score: float
    reasons: str
    verdict: str
    ts: float


class Read(Struct, frozen=True, kw_only=True):
    """Counts of the last hour, day and week.

    `walked` are the newest sign-ins of a day that people and places were counted in, down to `walked_since`: all of
    them where `is_walk_whole`. `is_more` where there were more refusals than were counted. `places` come with one of
    their addresses each. `sessions` has the codes of what is held against each of the newest risky ones, with spaces
    between; `behind_since` is None when everything is taken.
    """

    minutes: dict[int, int]
    denied: int
    not_shown: int
    is_more: bool
    walked: int
    walked_since: float
    is_walk_whole: bool
    people: int
    prompted: int
    places: tuple[tuple[Came, str], ...]
    risky: tuple[RiskySignIn, ...]
    sessions: tuple[str, ...]
    verdict_seconds: tuple[float, ...]
    close_seconds: tuple[float, ...]
    waiting: Waiting | None
    campaigns: int
    behind_since: float | None
