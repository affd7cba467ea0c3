"""What the scorer is told of a decision: that it was made, about which of the logins that it scored."""

from __future__ import annotations

from typing import Final, cast

from auth_gateway.core.audit import AuditEvent
from risk_scorer.contract.decisions import Decision, DecisionKind

DECISION_EVENT_TYPE: Final = "login.decision"
ANSWER_FAILED: Final = "challenge.failed"
"""A wrong answer is not scored: what is decided at it is about the login that asked."""


def decisions_of(line: AuditEvent) -> tuple[Decision, ...]:
    """The decisions that an audit line is of: about its own request, and about the login whose challenge it answers.

    That one keeps the rule that asked for a factor, unless the answer is refused; `factor` is what was shown.
    """
    facts = line.facts
    factor, began_as = ("", "") if facts is None else (facts.method, facts.began_as)
    found = []
    if line.decision is not None and line.kind != ANSWER_FAILED:
        found.append(_decision(line, line.event_id, line.decision, line.rule or "", factor))
    if began_as:
        is_refused = line.decision == "deny"
        kind, rule = ("deny", line.rule or "") if is_refused else ("challenge", "")
        found.append(_decision(line, began_as, kind, rule, factor))
    return tuple(found)


def _decision(line: AuditEvent, event_id: str, kind: str, rule: str, factor: str) -> Decision:
    return Decision(
        event_id=event_id,
        decision=cast(DecisionKind, kind),
        rule=rule,
        factor=factor,
        client_id=line.client_id or "",
        at=line.ts,
    )
