"""Rapid multi-resource access: many different resources in one session within a window that slides."""

from typing import Final

from sqlalchemy import and_, bindparam, func, select

from plumbing.statements import Statement
from risk_scorer.adapters.activity.views.asking import Question, distinct, number, within
from risk_scorer.adapters.tables import activity_events
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
_END, _IN = activity_events.alias("window_end"), activity_events.alias("within_window")
_RESOURCE = _IN.c.service + "\n" + _IN.c.method + "\n" + _IN.c.endpoint
_REACHED = distinct(_RESOURCE)
_WINDOWS = (
    select(_END.c.user_id, _END.c.session_id, _END.c.ts, _REACHED.label("reached"))
    .join(
        _IN,
        and_(
            _IN.c.user_id == _END.c.user_id,
            _IN.c.session_id == _END.c.session_id,
            _IN.c.ts > _END.c.ts - number("window_seconds"),
            _IN.c.ts <= _END.c.ts,
            _IN.c.ts >= number("since"),
        ),
    )
    .where(within(_END.c))
    .group_by(_END.c.id, _END.c.user_id, _END.c.session_id, _END.c.ts)
    .having(bindparam("least") <= _REACHED)
    .subquery()
)
_MOST = func.max(_WINDOWS.c.reached)
STATEMENT = Statement(
    select(_WINDOWS.c.user_id, _WINDOWS.c.session_id, _MOST, func.min(_WINDOWS.c.ts), func.max(_WINDOWS.c.ts))
    .group_by(_WINDOWS.c.user_id, _WINDOWS.c.session_id)
    .order_by(_MOST.desc(), _WINDOWS.c.user_id, _WINDOWS.c.session_id)
    .limit(bindparam("limit"))
)
QUESTION: Final = Question(view=VIEW, statement=STATEMENT)
