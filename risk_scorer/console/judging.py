"""Joins what analysts say of logins with the rows that show it."""

from risk_scorer.adapters.console.projection import Projection
from risk_scorer.assembly import Scorer
from risk_scorer.flows.console.judging import ShownJudge
from risk_scorer.flows.feedback import Judge


def shown_judge(scorer: Scorer) -> ShownJudge:
    """Verdicts that stand on the next page."""
    judge = Judge(observer=scorer.lookups.observer, verdicts=scorer.verdicts, log=scorer.log, clock=scorer.clock)
    return ShownJudge(judge, Projection(scorer.database, clock=scorer.clock))
