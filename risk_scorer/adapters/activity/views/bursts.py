"""Bursts: so many events of one account within a window that slides, wherever a minute begins."""

from typing import Final

from sqlalchemy import Integer, bindparam, cast, func, select

from plumbing.statements import Statement
from risk_scorer.adapters.activity.views.asking import Question, number
from risk_scorer.adapters.activity.views.seen import OF, SEEN
from risk_scorer.core.abuse.view import LIMIT, Column, Parameter, View, count, span

VIEW: Final = View(
    name="bursts",
    text="Accounts with at least `least` events within `window_seconds`, wherever that window begins.",
    parameters=(
        *span(1),
        Parameter(
            name="window_seconds",
            kind="seconds",
            text="How long the window is.",
            usual=60.0,
            least=0.001,
            most=86_400.0,
        ),
        count("least", "So many events within the window.", 100, least=2),
        OF,
        LIMIT,
    ),
    columns=(
        Column(name="user_id", text="The account."),
        Column(name="windows", text="How many of its events end such a window."),
        Column(name="shortest_seconds", text="The shortest time in which it had so many events."),
        Column(name="began_at", text="When its first burst began."),
        Column(name="ended_at", text="When its last burst ended."),
    ),
)
# The event so many places before: a window is full exactly when that one is no older than the window is long.
_BEFORE = func.lag(SEEN.ts, cast(bindparam("least"), Integer) - 1).over(partition_by=SEEN.user_id, order_by=SEEN.ts)
_ENDS = select(SEEN.user_id, SEEN.ts, _BEFORE.label("began")).subquery()
_TOOK = _ENDS.c.ts - _ENDS.c.began
STATEMENT = Statement(
    select(_ENDS.c.user_id, func.count(), func.min(_TOOK), func.min(_ENDS.c.began), func.max(_ENDS.c.ts))
    .where(_ENDS.c.began.is_not(None), number("window_seconds") >= _TOOK)
    .group_by(_ENDS.c.user_id)
    .order_by(func.count().desc(), _ENDS.c.user_id)
    .limit(bindparam("limit"))
)
QUESTION: Final = Question(view=VIEW, statement=STATEMENT)
