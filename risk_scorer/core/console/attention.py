"""What somebody should look at first: at most three, the gravest first, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from risk_scorer.core.console.addresses import address, path_part
from risk_scorer.core.console.figures import Standing
from risk_scorer.core.console.moments import span_words

MOST: Final = 3
LATE_SECONDS: Final = 60.0
"""Sign-ins are there within a second; a minute later something stands still."""


class Waiting(Struct, frozen=True, kw_only=True):
    """Incidents that nobody has taken: how many, and the oldest of them."""

    count: int
    incident_id: str
    opened_at: float


class State(Struct, frozen=True, kw_only=True):
    """Everything that may need somebody; `late_seconds` is how far the rows of sign-ins are behind the log."""

    now: float
    has_model: bool
    late_seconds: float
    waiting: Waiting | None
    campaigns: int
    is_gateway_away: bool
    prompts: Standing
    drifted: int
    deliveries_fail: bool
    tables_age_days: float | None
    tables_most_days: float


class Notice(Struct, frozen=True, kw_only=True):
    """One line with its way on."""

    level: Literal["high", "medium"]
    words: str
    href: str
    act: str


def attention(state: State) -> tuple[tuple[Notice, ...], int]:
    """The gravest, and how many more there are."""
    found = [*_standstill(state), *_work(state), *_upkeep(state)]
    return tuple(found[:MOST]), max(0, len(found) - MOST)


def _standstill(state: State) -> Iterator[Notice]:
    if not state.has_model:
        yield _now("There is no model: nothing can be scored.", "/dashboard/model", "See the model")
    if state.late_seconds > LATE_SECONDS:
        late = span_words(state.late_seconds)
        yield _now(f"Sign-ins are shown {late} late: not all are here.", "/dashboard/sign-ins", "See the newest")


def _work(state: State) -> Iterator[Notice]:
    waiting, campaigns = state.waiting, state.campaigns
    if waiting is not None:
        words = f"{waiting.count} incident{'s' if waiting.count > 1 else ''} that nobody has taken"
        words += f"; the oldest waits {span_words(max(0.0, state.now - waiting.opened_at))}."
        yield _now(words, f"/dashboard/incidents/{path_part(waiting.incident_id)}", "Open the oldest")
    if campaigns:
        words = "1 campaign goes on." if campaigns == 1 else f"{campaigns} campaigns go on."
        yield _now(words, "/dashboard/campaigns", "See who acts together")
    if state.is_gateway_away:
        yield _soon("The gateway does not answer: nothing can be done to accounts.", "/dashboard/users", "Try again")


def _upkeep(state: State) -> Iterator[Notice]:
    if state.prompts == "above":
        asked = address("/dashboard/sign-ins", decision="challenge", since="24h")
        yield _soon("More people are prompted than the budget allows.", asked, "See who was asked")
    if state.drifted:
        things = "1 thing is" if state.drifted == 1 else f"{state.drifted} things are"
        yield _soon(f"Live logins have moved: {things} past the mark.", "/dashboard/drift", "See what moved")
    if state.deliveries_fail:
        yield _soon("Deliveries fail.", "/dashboard/deliveries", "See which")
    days = state.tables_age_days
    if days is None:
        yield _soon("There are no address tables: nobody has a place.", "/dashboard/drift", "See what it means")
    elif days > state.tables_most_days:
        yield _soon(f"The address tables are {days:.0f} days old.", "/dashboard/drift", "See what it means")


def _now(words: str, href: str, act: str) -> Notice:
    return Notice(level="high", words=words, href=href, act=act)


def _soon(words: str, href: str, act: str) -> Notice:
    return Notice(level="medium", words=words, href=href, act=act)
