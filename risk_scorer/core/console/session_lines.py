"""Sessions as the console lists them: which ones somebody wants to see, one line of each, and where a page goes on."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final, get_args

from msgspec import Struct

from risk_scorer.contract.activity import (
    FREEZE_FROM,
    LOGOUT_FROM,
    RESET_FROM,
    STEP_UP_FROM,
    Action,
    recommended,
)
from risk_scorer.contract.assessment import HIGH_FROM, MEDIUM_FROM, RiskLevel, risk_level
from risk_scorer.core.console.sign_in_filter import LONGEST, BadFilter

ABOVE: Final = 100.5
"""No score is as high."""
RESPONSES: Final[tuple[Action, ...]] = get_args(Action)
OF_LEVEL: Final = {"low": (0.0, MEDIUM_FROM), "medium": (MEDIUM_FROM, HIGH_FROM), "high": (HIGH_FROM, ABOVE)}
OF_RESPONSE: Final[dict[str, tuple[float, float]]] = {
    "allow": (0.0, STEP_UP_FROM),
    "step_up": (STEP_UP_FROM, RESET_FROM),
    "reset_session": (RESET_FROM, LOGOUT_FROM),
    "logout": (LOGOUT_FROM, FREEZE_FROM),
    "freeze": (FREEZE_FROM, ABOVE),
}
"""From which score on, and below which."""
TOLD: Final = ("", "step_up", "reset_session", "logout", "freeze")
"""The strongest response that the gateway was told of, by its rank."""


class SessionFilter(Struct, frozen=True, kw_only=True):
    """What the sessions have in common; "" asks for nothing, `is_open` None neither."""

    user: str = ""
    level: str = ""
    response: str = ""
    is_open: bool | None = None

    @property
    def scores(self) -> tuple[float, float]:
        """From which score on, and below which."""
        everything = (0.0, ABOVE)
        ranges = (OF_LEVEL.get(self.level, everything), OF_RESPONSE.get(self.response, everything))
        return max(low for low, _ in ranges), min(high for _, high in ranges)


class SessionPlace(Struct, frozen=True):
    """After which session a page goes on, the riskiest first."""

    score: float
    session_id: str

    def __str__(self) -> str:
        return f"{self.score!r}_{self.session_id}"


class SessionLine(Struct, frozen=True, kw_only=True):
    """One session with the risk after its last event; `client_id` is "" and `state` "unheard" where the gateway never
    told of it."""

    session_id: str
    user_id: str
    score: float
    peak: float
    events: int
    told: int
    started_at: float
    updated_at: float
    client_id: str
    state: str
    ended_at: float | None

    @property
    def level(self) -> RiskLevel:
        return risk_level(self.score)

    @property
    def response(self) -> Action:
        """What is recommended at this score."""
        return recommended(self.score)

    @property
    def told_response(self) -> str:
        """The strongest response that the gateway was told of, "" for none."""
        return TOLD[self.told] if 0 <= self.told < len(TOLD) else ""


class SessionPage(Struct, frozen=True, kw_only=True):
    """Lines, the riskiest first; `next` goes on. A look that would take long ends early: then there are fewer."""

    lines: tuple[SessionLine, ...]
    next: SessionPlace | None


class SeenEvent(Struct, frozen=True, kw_only=True):
    """One event of a session as the event store has it, its endpoint as a template."""

    ts: float
    method: str
    endpoint: str
    service: str
    status: int
    ip: str
    country: str
    device_id: str
    browser: str
    score: float


def session_filter_of(query: Mapping[str, str]) -> SessionFilter:
    """What a query string asks for. Raises: BadFilter."""
    user, level, response = (query.get(name, "") for name in ("user", "level", "response"))
    if len(user) > LONGEST or "\0" in user:
        raise BadFilter("user", f"user has at most {LONGEST} characters")
    if level and level not in OF_LEVEL:
        raise BadFilter("level", f"level must be one of {', '.join(OF_LEVEL)}")
    if response and response not in OF_RESPONSE:
        raise BadFilter("response", f"response must be one of {', '.join(OF_RESPONSE)}")
    state = query.get("open", "")
    if state not in ("", "yes", "no"):
        raise BadFilter("open", "open must be yes or no")
    return SessionFilter(user=user, level=level, response=response, is_open=None if not state else state == "yes")


def session_place_of(text: str) -> SessionPlace | None:
    """The inverse of `str`, None of nothing. Raises: BadFilter."""
    if not text:
        return None
    found = re.fullmatch(r"([0-9.e-]{1,24})_(.{1,512})", text, re.ASCII)
    try:
        score = float(found[1]) if found else math.nan
    except ValueError:
        score = math.nan
    if found is None or not math.isfinite(score):
        raise BadFilter("after", "after must be a place that a page gave")
    return SessionPlace(score, found[2])
