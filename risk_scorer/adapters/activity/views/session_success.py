"""Sessions against successes: accounts that begin sessions and get little done in them."""

from typing import Final

from sqlalchemy import Float, bindparam, cast, func, select

from plumbing.statements import Statement
from risk_scorer.adapters.activity.views.asking import (
    Question,
    distinct,
    how_many,
    is_failure,
    is_success,
    number,
)
from risk_scorer.adapters.activity.views.seen import OF, SEEN
from risk_scorer.core.abuse.view import LIMIT, Column, Parameter, View, count, span

VIEW: Final = View(
    name="session_success",
    text="Accounts with at least `least` sessions or logins, and `ratio` of them or more for each success.",
    parameters=(
        *span(7),
        count("least", "So many sessions.", 5),
        Parameter(name="ratio", kind="ratio", text="Sessions for each success.", usual=1.0, most=1_000_000.0),
        OF,
        LIMIT,
    ),
    columns=(
        Column(name="user_id", text="The account."),
        Column(name="sessions", text="How many sessions it had, and how often it logged in."),
        Column(name="successes", text="How many of its requests were served, and how often it was let in."),
        Column(name="failures", text="How many were refused or failed."),
        Column(name="ratio", text="Sessions for each success; with none, as for one."),
    ),
)
# Every login is a try to begin one.
_SESSIONS = distinct(func.coalesce(SEEN.session_id, SEEN.login_id))
_SUCCESSES = how_many(is_success(SEEN))
_RATIO = cast(_SESSIONS, Float) / func.coalesce(func.nullif(_SUCCESSES, 0), 1)
STATEMENT = Statement(
    select(SEEN.user_id, _SESSIONS, _SUCCESSES, how_many(is_failure(SEEN)), _RATIO)
    .group_by(SEEN.user_id)
    .having(bindparam("least") <= _SESSIONS, number("ratio") <= _RATIO)
    .order_by(_RATIO.desc(), SEEN.user_id)
    .limit(bindparam("limit"))
)
QUESTION: Final = Question(view=VIEW, statement=STATEMENT)
