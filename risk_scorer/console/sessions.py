"""Joins sessions by their risk, and each of them."""

from risk_scorer.adapters.console.person_rows import PersonRows
from risk_scorer.adapters.console.session_rows import SessionRows
from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.api.console.sessions import SessionViews
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts
from risk_scorer.console.users import user_acts
from risk_scorer.flows.console.sessions import SessionDesk
from risk_scorer.flows.console.sign_ins import SignIns


def views(parts: Parts) -> tuple[View, ...]:
    """What is done after the login."""
    scorer = parts.scorer
    sessions = SessionDesk(
        sessions=SessionRows(scorer.database, clock=scorer.clock),
        standings=parts.acting.standing,
        people=PersonRows(scorer.database),
        sign_ins=SignIns(SignInRows(scorer.database), clock=scorer.clock),
        gateway=parts.gateway,
    )
    return SessionViews(desk=parts.desk, sessions=sessions, acts=user_acts(parts)).views()
