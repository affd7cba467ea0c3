"""Joins the sign-ins: their table, their files, verdicts on them, and the page of each."""

from risk_scorer.adapters.console.sign_in_rows import SignInRows
from risk_scorer.api.console.sign_in import SignInPage
from risk_scorer.api.console.sign_ins import SignInViews
from risk_scorer.api.console.views import View
from risk_scorer.console.judging import shown_judge
from risk_scorer.console.parts import Parts
from risk_scorer.flows.console.sign_in_details import SignInDetails
from risk_scorer.flows.console.sign_ins import SignIns


def views(parts: Parts) -> tuple[View, ...]:
    """Every scored login; the page of one comes last, since its address takes any id."""
    scorer = parts.scorer
    sign_ins = SignIns(SignInRows(scorer.database), clock=scorer.clock)
    table = SignInViews(desk=parts.desk, sign_ins=sign_ins, judge=shown_judge(scorer), feed=parts.feed)
    details = SignInDetails(
        sign_ins=sign_ins, log=scorer.log, histories=scorer.profiles, observer=scorer.lookups.observer
    )
    page = SignInPage(desk=parts.desk, details=details, has_narrator=scorer.narrator is not None)
    return (*table.views(), *page.views())
