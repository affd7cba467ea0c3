"""Joins the policy, which is the gateway's."""

from risk_scorer.adapters.console.draft_rows import DraftRows
from risk_scorer.api.console.policy import PolicyViews
from risk_scorer.api.console.views import View
from risk_scorer.console.parts import Parts
from risk_scorer.flows.console.policy import PolicyAtGateway
from risk_scorer.flows.console.rule_counts import CountedRules


def views(parts: Parts) -> tuple[View, ...]:
    """Rules, and what each did."""
    clock, gateway = parts.scorer.clock, parts.gateway
    policy = PolicyAtGateway(gateway=gateway, rules=CountedRules(gateway, clock=clock), clock=clock)
    drafts = DraftRows(parts.scorer.database)
    return PolicyViews(desk=parts.desk, policy=policy, drafts=drafts, now=clock.now).views()
