"""New against aged accounts, week by week."""

from typing import Final

from sqlalchemy import bindparam, select

from plumbing.statements import Statement
from risk_scorer.adapters.activity.views.ages import COHORT, COLUMNS, NEW_DAYS, aged, measured
from risk_scorer.adapters.activity.views.asking import Question
from risk_scorer.adapters.activity.views.seen import OF, SEEN
from risk_scorer.adapters.activity.views.weeks import WEEK, week
from risk_scorer.core.abuse.view import LIMIT, View, span

VIEW: Final = View(
    name="weekly_cohorts",
    text="New against aged accounts, week by week.",
    parameters=(*span(84), NEW_DAYS, OF, LIMIT),
    columns=(WEEK, COHORT, *COLUMNS),
)
_EVENTS = aged(week(SEEN)).subquery().c
STATEMENT = Statement(
    select(_EVENTS.week_at, _EVENTS.cohort, *measured(_EVENTS))
    .group_by(_EVENTS.week_at, _EVENTS.cohort)
    .order_by(_EVENTS.week_at, _EVENTS.cohort.desc())
    .limit(bindparam("limit"))
)
QUESTION: Final = Question(view=VIEW, statement=STATEMENT)
