"""Sessions and how risky they became, week by week."""

from typing import Final

from sqlalchemy import bindparam, func, select

from plumbing.statements import Statement
from risk_scorer.adapters.activity.views.asking import EVENTS, PROMPTED_FROM, Question, distinct, sessions_that, within
from risk_scorer.adapters.activity.views.weeks import WEEK, week
from risk_scorer.core.abuse.view import LIMIT, Column, View, span

RESET_FROM: Final = 80.0
"""The mark of a session's end on the shared scale."""

VIEW: Final = View(
    name="weekly_sessions",
    text="Sessions week by week, and how many of them came to the marks 60 (step-up) and 80 (reset).",
    parameters=(*span(84), LIMIT),
    columns=(
        WEEK,
        Column(name="accounts", text="How many accounts had events."),
        Column(name="sessions", text="How many sessions."),
        Column(name="events", text="How many events."),
        Column(name="prompted", text="How many sessions came to 60 or above."),
        Column(name="reset", text="How many sessions came to 80 or above."),
    ),
)
_EVENTS = select(week(), EVENTS.user_id, EVENTS.session_id, EVENTS.score).where(within()).subquery().c
STATEMENT = Statement(
    select(
        _EVENTS.week_at,
        distinct(_EVENTS.user_id),
        distinct(_EVENTS.session_id),
        func.count(),
        sessions_that(_EVENTS.score >= PROMPTED_FROM, _EVENTS),
        sessions_that(_EVENTS.score >= RESET_FROM, _EVENTS),
    )
    .group_by(_EVENTS.week_at)
    .order_by(_EVENTS.week_at)
    .limit(bindparam("limit"))
)
QUESTION: Final = Question(view=VIEW, statement=STATEMENT)
