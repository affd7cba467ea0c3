"""New against aged accounts, as two cohorts."""

from typing import Final

from sqlalchemy import bindparam, select

from plumbing.statements import Statement
from risk_scorer.adapters.activity.views.ages import COHORT, COLUMNS, NEW_DAYS, aged, measured
from risk_scorer.adapters.activity.views.asking import Question
from risk_scorer.adapters.activity.views.seen import OF
from risk_scorer.core.abuse.view import LIMIT, View, span

VIEW: Final = View(
    name="cohorts",
    text="What new accounts do against aged ones. An account is as old as its first event in the store.",
    parameters=(*span(28), NEW_DAYS, OF, LIMIT),
    columns=(COHORT, *COLUMNS),
)
_EVENTS = aged().subquery().c
STATEMENT = Statement(
    select(_EVENTS.cohort, *measured(_EVENTS))
    .group_by(_EVENTS.cohort)
    .order_by(_EVENTS.cohort.desc())
    .limit(bindparam("limit"))
)
QUESTION: Final = Question(view=VIEW, statement=STATEMENT)
