"""What accounts did, whichever way it is known: what was reported of their sessions, and logins that were scored."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Text, and_, bindparam, case, cast, func, literal_column, null, or_, select, union_all
from sqlalchemy.sql.expression import ColumnElement

from risk_scorer.adapters.activity.views.asking import EVENTS, number, within
from risk_scorer.adapters.tables import sign_ins
from risk_scorer.core.abuse.view import Parameter

LOGINS: Final = sign_ins.c
OF: Final = Parameter(
    name="of",
    kind="choice",
    text="What is looked at: logins that were scored, what was reported of sessions (activity), or both.",
    usual=0,
    choices=("both", "activity", "logins"),
)
IS_LOGIN: Final = LOGINS.kind == literal_column("'login'")
"""A refresh is made by a timer, and an answered challenge belongs to its login."""
IS_LET_IN: Final = LOGINS.outcome.in_([literal_column("'success'"), literal_column("'mfa_passed'")])
IS_REFUSED: Final = or_(
    LOGINS.decision == literal_column("'deny'"),
    LOGINS.outcome.in_([literal_column("'mfa_failed'"), literal_column("'failure'")]),
)
_STATUS: Final = case(
    (IS_REFUSED, literal_column("403")), (IS_LET_IN, literal_column("200")), else_=literal_column("0")
)
"""As a request would have been answered; 0 while nobody said how it ended."""
_IS_ACTIVITY: Final = bindparam("of") != literal_column("'logins'")
_ARE_LOGINS: Final = bindparam("of") != literal_column("'activity'")


def _nothing() -> ColumnElement[Any]:
    return cast(null(), Text)


_ACTIVITY: Final = select(
    EVENTS.ts, EVENTS.user_id, EVENTS.session_id, _nothing().label("login_id"), EVENTS.ip, EVENTS.device_id,
    EVENTS.ja4, EVENTS.status, EVENTS.score,
).where(_IS_ACTIVITY, within())  # fmt: skip
_LOGINS: Final = select(
    LOGINS.ts, LOGINS.user_id, _nothing(), LOGINS.event_id, LOGINS.ip, LOGINS.device_id, LOGINS.ja4, _STATUS,
    LOGINS.score,
).where(_ARE_LOGINS, IS_LOGIN, within(LOGINS))  # fmt: skip
SEEN: Final = union_all(_ACTIVITY, _LOGINS).subquery().c
"""Each with what both have; the session is NULL for a login, whose id is NULL for everything else."""

_EACH: Final = union_all(
    select(EVENTS.user_id, func.min(EVENTS.ts).label("first"))
    .where(and_(_IS_ACTIVITY, EVENTS.ts < number("until")))
    .group_by(EVENTS.user_id),
    select(LOGINS.user_id, func.min(LOGINS.ts))
    .where(and_(_ARE_LOGINS, LOGINS.ts < number("until")))
    .group_by(LOGINS.user_id),
).subquery()
FIRST: Final = select(_EACH.c.user_id, func.min(_EACH.c.first).label("first")).group_by(_EACH.c.user_id).subquery()
"""When each account was first seen, before the span ends: by a refresh too, whose login may be forgotten; and so the
index by account answers alone, fifty times as fast as with its rows."""
