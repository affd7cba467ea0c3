"""Weeks, from Monday to Sunday, UTC."""

from typing import Any, Final

from sqlalchemy import Float, cast
from sqlalchemy.sql.expression import ColumnElement, Label

from plumbing.expressions import whole_part
from risk_scorer.adapters.activity.views.asking import EVENTS
from risk_scorer.core.abuse.view import Column

WEEK_SECONDS: Final = 604_800
TO_MONDAY: Final = 259_200
"""From a Monday to the Thursday that 1 January 1970 was."""
WEEK: Final = Column(name="week_at", text="When the week began: Monday, 00:00 UTC.")


def week(events: Any = EVENTS) -> Label[float]:
    """When the event's week began."""
    return week_of(events.ts)


def week_of(moment: ColumnElement[float]) -> Label[float]:
    """When the week of that moment began."""
    number = whole_part(cast((moment + TO_MONDAY) / WEEK_SECONDS, Float))
    return cast(number * WEEK_SECONDS - TO_MONDAY, Float).label(WEEK.name)
