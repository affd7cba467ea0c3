"""Joins the sign-ins: their table, their files, verdicts on them, and the page of each."""

from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.api.console.sign_in import SignInPage
from risk_scorer.api.console.sign_ins import SignInViews
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts
from risk_scorer.flows.console.sign_in_details import SignInDetails
from risk_scorer.flows.console.sign_ins import SignIns
from risk_scorer.flows.feedback import Judge


def views(parts: Parts) -> tuple[View, ...]:
    """Every scored login; the page of one comes last, since its address takes any id."""
    scorer = parts.scorer
    observer = scorer.lookups.observer
    judge = Judge(observer=observer, verdicts=scorer.verdicts, log=scorer.log, clock=scorer.clock)
    sign_ins = SignIns(SignInRows(scorer.database), clock=scorer.clock)
    table = SignInViews(desk=parts.desk, sign_ins=sign_ins, judge=judge, feed=parts.feed)
    details = SignInDetails(sign_ins=sign_ins, log=scorer.log, histories=scorer.profiles, observer=observer)
    page = SignInPage(desk=parts.desk, details=details, has_narrator=scorer.narrator is not None)
    return (*table.views(), *page.views())
