"""New and aged accounts: an account is as old as its first event in the store, which forgets what is too old."""

from typing import Any, Final

from sqlalchemy import ColumnClause, Select, case, func, literal, select
from sqlalchemy.sql.expression import ColumnElement

from risk_scorer.adapters.activity.views.asking import (
    PROMPTED_FROM,
    distinct,
    how_many,
    is_failure,
    number,
    sessions_that,
)
from risk_scorer.adapters.activity.views.seen import FIRST, SEEN
from risk_scorer.core.abuse.view import DAY_SECONDS, Column, Parameter

NEW_DAYS: Final = Parameter(
    name="new_days", kind="days", text="So long an account is new.", usual=14.0, least=0.01, most=3_660.0
)
COHORT: Final = Column(name="cohort", text="`new` or `aged`.")
COLUMNS: Final = (
    Column(name="accounts", text="How many accounts had events."),
    Column(name="sessions", text="How many sessions."),
    Column(name="events", text="How many events."),
    Column(name="failures", text="How many of them were refused or failed."),
    Column(name="risky_sessions", text="How many sessions came to the mark of a step-up, 60, or above."),
)
_IS_NEW: Final = SEEN.ts < FIRST.c.first + number("new_days") * literal(DAY_SECONDS)


def aged(*more: ColumnElement[Any]) -> Select[Any]:
    """The events of the span, each with its account's `cohort` at that moment, and with these columns."""
    age = case((_IS_NEW, "new"), else_="aged").label("cohort")
    columns = (SEEN.user_id, SEEN.session_id, SEEN.status, SEEN.score)
    return select(age, *columns, *more).where(FIRST.c.user_id == SEEN.user_id)


def measured(events: Any) -> tuple[ColumnElement[Any] | ColumnClause[Any], ...]:
    """What is counted of a group of them, as `COLUMNS` names it."""
    return (
        distinct(events.user_id),
        distinct(events.session_id),
        func.count(),
        how_many(is_failure(events)),
        sessions_that(events.score >= PROMPTED_FROM, events),
    )
