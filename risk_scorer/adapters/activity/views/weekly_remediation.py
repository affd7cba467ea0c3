"""How long it took from a detection to the word about it, week by week."""

from typing import Any, Final

from sqlalchemy import Float, and_, bindparam, case, cast, func, literal_column, select, union_all
from sqlalchemy.sql.expression import ColumnElement

from plumbing.statements import Statement
from risk_scorer.adapters.activity.views.asking import Question, how_many, number, within
from risk_scorer.adapters.activity.views.seen import LOGINS
from risk_scorer.adapters.activity.views.weeks import WEEK, week, week_of
from risk_scorer.adapters.tables import incidents, verdict_words
from risk_scorer.core.abuse.view import LIMIT, Column, View, span

VIEW: Final = View(
    name="weekly_remediation",
    text="From detection to response, by the week of the detection: logins until their first verdict, incidents until"
    " they are closed.",
    parameters=(*span(84), LIMIT),
    columns=(
        WEEK,
        Column(name="judged", text="How many logins of that week have a verdict."),
        Column(name="verdict_seconds", text="The median time from the score to the first word about it."),
        Column(name="incidents", text="How many incidents of that week are closed."),
        Column(name="close_seconds", text="The median time from opening an incident to closing it."),
    ),
)
# A step of an index for each judged login, however many words there are of all the others.
_SAID = (
    select(func.min(verdict_words.c.recorded_at)).where(verdict_words.c.event_id == LOGINS.event_id).scalar_subquery()
)
_ROWS = (
    select(week(LOGINS), (_SAID - LOGINS.ts).label("took"))
    .where(within(LOGINS), LOGINS.verdict != literal_column("''"))
    .subquery()
    .c
)
_JUDGED = select(_ROWS.week_at, literal_column("'login'").label("of"), _ROWS.took).where(_ROWS.took.is_not(None))
_CLOSED = select(
    week_of(incidents.c.opened_at), literal_column("'incident'"), incidents.c.updated_at - incidents.c.opened_at
).where(
    incidents.c.opened_at >= number("since"),
    incidents.c.opened_at < number("until"),
    incidents.c.state == literal_column("'closed'"),
    incidents.c.updated_at >= number("since"),  # follows from the first, and an index knows it
)
_SPANS = union_all(_JUDGED, _CLOSED).subquery().c
_GROUP = (_SPANS.week_at, _SPANS.of)
_RANKED = (
    select(
        _SPANS.week_at,
        _SPANS.of,
        _SPANS.took,
        func.row_number().over(partition_by=_GROUP, order_by=_SPANS.took).label("place"),
        func.count().over(partition_by=_GROUP).label("all"),
    )
    .subquery()
    .c
)
# Twice the place of the middle one, or of the two in the middle.
_IS_MIDDLE = and_(2 * _RANKED.place >= _RANKED["all"], 2 * _RANKED.place <= _RANKED["all"] + 2)


def _is(of: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = _RANKED["of"] == literal_column(f"'{of}'")
    return found


def _median(of: str) -> ColumnElement[Any]:
    return func.avg(case((and_(_is(of), _IS_MIDDLE), cast(_RANKED.took, Float))))


STATEMENT = Statement(
    select(
        _RANKED.week_at,
        how_many(_is("login")),
        _median("login"),
        how_many(_is("incident")),
        _median("incident"),
    )
    .group_by(_RANKED.week_at)
    .order_by(_RANKED.week_at)
    .limit(bindparam("limit"))
)
QUESTION: Final = Question(view=VIEW, statement=STATEMENT)
