"""Joins the audit of the console."""

from risk_scorer.adapters.console.act_rows import ActRows
from risk_scorer.api.console.audit import AuditPage
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts


def views(parts: Parts) -> tuple[View, ...]:
    """Who did what here, and why."""
    scorer = parts.scorer
    return AuditPage(desk=parts.desk, acts=ActRows(scorer.database, clock=scorer.clock)).views()
