"""Weeks, from Monday to Sunday, UTC."""

from typing import Final

from sqlalchemy import Float, cast
from sqlalchemy.sql.expression import Label

from plumbing.expressions import whole_part
from risk_scorer.adapters.activity.views.asking import EVENTS
from risk_scorer.core.abuse.view import Column

WEEK_SECONDS: Final = 604_800
TO_MONDAY: Final = 259_200
"""From a Monday to the Thursday that 1 January 1970 was."""
WEEK: Final = Column(name="week_at", text="When the week began: Monday, 00:00 UTC.")


def week() -> Label[float]:
    """When the event's week began."""
    number = whole_part(cast((EVENTS.ts + TO_MONDAY) / WEEK_SECONDS, Float))
    return cast(number * WEEK_SECONDS - TO_MONDAY, Float).label(WEEK.name)
