"""What was decided about logins and what it turned out to be, week by week: attacks, prompts, false alarms."""

from typing import Final

from sqlalchemy import and_, bindparam, func, literal_column, or_, select

from plumbing.statements import Statement
from risk_scorer.adapters.activity.views.asking import Question, distinct, how_many, within
from risk_scorer.adapters.activity.views.seen import IS_LOGIN, LOGINS
from risk_scorer.adapters.activity.views.weeks import WEEK, week
from risk_scorer.core.abuse.view import LIMIT, Column, View, span

VIEW: Final = View(
    name="weekly_decisions",
    text="Logins week by week: attacks, prompts and false alarms, by what was decided, how it ended and was judged.",
    parameters=(*span(84), LIMIT),
    columns=(
        WEEK,
        Column(name="accounts", text="How many accounts logged in."),
        Column(name="logins", text="How many logins were scored."),
        Column(name="attacks", text="Refused, or judged to be somebody else's; without those that were judged safe."),
        Column(name="denied", text="How many were refused."),
        Column(name="prompts", text="How many were asked for a factor."),
        Column(name="passed", text="How many of these showed it."),
        Column(name="failed", text="How many of these did not, so far as it is known."),
        Column(name="judged", text="How many have a verdict."),
        Column(
            name="false_alarms",
            text="Prompted and passed and not judged to be somebody else's, or judged safe though prompted or refused.",
        ),
    ),
)
_ROWS = (
    select(week(LOGINS), LOGINS.user_id, LOGINS.decision, LOGINS.factor, LOGINS.outcome, LOGINS.verdict)
    .where(within(LOGINS), IS_LOGIN)
    .subquery()
    .c
)
_DENIED = _ROWS.decision == literal_column("'deny'")
# One that was asked and then refused was asked all the same.
_PROMPTED = or_(_ROWS.decision == literal_column("'challenge'"), _ROWS.factor != literal_column("''"))
_PASSED = _ROWS.outcome == literal_column("'mfa_passed'")
_SAFE = _ROWS.verdict == literal_column("'confirmed_safe'")
_STOLEN = _ROWS.verdict == literal_column("'confirmed_compromised'")
STATEMENT = Statement(
    select(
        _ROWS.week_at,
        distinct(_ROWS.user_id),
        func.count(),
        how_many(or_(_STOLEN, and_(_DENIED, ~_SAFE))),
        how_many(_DENIED),
        how_many(_PROMPTED),
        how_many(and_(_PROMPTED, _PASSED)),
        how_many(and_(_PROMPTED, _ROWS.outcome == literal_column("'mfa_failed'"))),
        how_many(_ROWS.verdict != literal_column("''")),
        how_many(or_(and_(_SAFE, or_(_PROMPTED, _DENIED)), and_(_PROMPTED, _PASSED, ~_STOLEN))),
    )
    .group_by(_ROWS.week_at)
    .order_by(_ROWS.week_at)
    .limit(bindparam("limit"))
)
QUESTION: Final = Question(view=VIEW, statement=STATEMENT)
