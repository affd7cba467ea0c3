"""Joins the sign-ins: their table, their files, and verdicts on them."""

from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.api.console.sign_ins import SignInViews
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts
from risk_scorer.flows.console.sign_ins import SignIns
from risk_scorer.flows.feedback import Judge


def views(parts: Parts) -> tuple[View, ...]:
    """Every scored login."""
    scorer = parts.scorer
    judge = Judge(observer=scorer.lookups.observer, verdicts=scorer.verdicts, log=scorer.log, clock=scorer.clock)
    sign_ins = SignIns(SignInRows(scorer.database), clock=scorer.clock)
    return SignInViews(desk=parts.desk, sign_ins=sign_ins, judge=judge).views()
