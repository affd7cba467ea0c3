"""Rapid multi-resource access: many different resources in one session within a window that slides."""

from typing import Final

from sqlalchemy import bindparam, case, func, literal, select, union_all

from plumbing.statements import Statement
from risk_scorer.adapters.activity.views.asking import EVENTS, Question, number, within
from risk_scorer.core.abuse.view import LIMIT, Column, Parameter, View, count, span

VIEW: Final = View(
    name="rapid_resources",
    text="Sessions that reached at least `least` different resources within `window_seconds`.",
    parameters=(
        *span(1),
        Parameter(
            name="window_seconds", kind="seconds", text="How long the window is.", usual=60.0, least=0.001, most=3_600.0
        ),
        count("least", "So many resources: a service, a method and an endpoint.", 10, least=2),
        LIMIT,
    ),
    columns=(
        Column(name="user_id", text="The account."),
        Column(name="session_id", text="The session."),
        Column(name="resources", text="The most that it reached within one window."),
        Column(name="first_at", text="When the first such window was full."),
        Column(name="last_at", text="When the last such window ended."),
    ),
)
_RESOURCE = (EVENTS.service, EVENTS.method, EVENTS.endpoint)
_SESSION = (EVENTS.user_id, EVENTS.session_id)
# A resource is within the windows that end from its event on until that is too old, or is there again: each such span
# adds one where it begins and takes it away where it ends, so a session of any length is sorted and not squared.
_AGAIN = func.lead(EVENTS.ts).over(partition_by=(*_SESSION, *_RESOURCE), order_by=(EVENTS.ts, EVENTS.id))
_SPANS = select(*_SESSION, EVENTS.ts, _AGAIN.label("again"), (EVENTS.ts + number("window_seconds")).label("old"))
_SPAN = _SPANS.where(within()).subquery().c
_GONE = case((_SPAN.again <= _SPAN.old, _SPAN.again), else_=_SPAN.old)
_STEPS = union_all(
    select(_SPAN.user_id, _SPAN.session_id, _SPAN.ts.label("ts"), literal(1).label("step")),
    select(_SPAN.user_id, _SPAN.session_id, _GONE.label("ts"), literal(-1).label("step")),
).subquery()
_REACHED = func.sum(_STEPS.c.step).over(partition_by=(_STEPS.c.user_id, _STEPS.c.session_id), order_by=_STEPS.c.ts)
_COUNTED = select(_STEPS, _REACHED.label("reached")).subquery()
_WINDOWS = select(_COUNTED).where(_COUNTED.c.step == 1, _COUNTED.c.reached >= bindparam("least")).subquery()
_MOST = func.max(_WINDOWS.c.reached)
STATEMENT = Statement(
    select(_WINDOWS.c.user_id, _WINDOWS.c.session_id, _MOST, func.min(_WINDOWS.c.ts), func.max(_WINDOWS.c.ts))
    .group_by(_WINDOWS.c.user_id, _WINDOWS.c.session_id)
    .order_by(_MOST.desc(), _WINDOWS.c.user_id, _WINDOWS.c.session_id)
    .limit(bindparam("limit"))
)
QUESTION: Final = Question(view=VIEW, statement=STATEMENT)
