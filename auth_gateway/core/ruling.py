"""What policy said of somebody who came back, with the score it said it by. Values only; the tables are in `policy`."""

import msgspec

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.decision import Allow, Decision
from auth_gateway.core.facts import scored
from auth_gateway.core.policy_rule import DOCUMENT
from auth_gateway.core.policy_verdict import Verdict
from risk_scorer.contract.assessment import RiskScore

HIGH_RISK = "high_risk"
BY_DOCUMENT = "policy_document"
"""Why a session was ended, for those who read its line."""


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What policy says, and the score it says it by; `scored_as` is the event id that the scorer knows that score by.

    `score` is None without one and where an earlier answer was reused; `verdict` is what it was decided by.
    """

    decision: Decision
    score: RiskScore | None = None
    risk_score: float | None = None
    level: str | None = None
    model_version: str | None = None
    scored_as: str | None = None
    verdict: Verdict | None = None

    def on(self, line: AuditEvent) -> AuditEvent:
        """The audit line with what was decided and why."""
        reused = self.scored_as is not None and self.scored_as != line.event_id
        details = [line.detail or "", *self.decision.reasons, f"scored as {self.scored_as}" if reused else ""]
        facts = line.facts
        if facts is not None and self.score is not None:
            facts = scored(facts, self.score)
        return msgspec.structs.replace(
            line,
            decision=self.decision.name,
            rule=line.rule or (None if self.decision.rule == "low" else self.decision.rule),
            score=self.risk_score,
            level=self.level,
            model_version=self.model_version,
            detail=" ".join(filter(None, details)) or None,
            facts=facts if self.verdict is None else self.verdict.on(facts),
        )


def is_let_go_on(ruling: Ruling | None) -> bool:
    """Whether there is a ruling and it allows."""
    return ruling is not None and isinstance(ruling.decision, Allow)


def why_ended(rule: str | None) -> str:
    """What a session is ended for that a rule denies."""
    return BY_DOCUMENT if rule is not None and rule.startswith(DOCUMENT) else HIGH_RISK


def ruling_on(decision: Decision, score: RiskScore | None, verdict: Verdict | None = None) -> Ruling:
    """The decision with the score it was made by."""
    if score is None:
        return Ruling(decision=decision, verdict=verdict)
    return Ruling(
        decision=decision,
        verdict=verdict,
        score=score,
        risk_score=score.risk_score,
        level=score.risk_level,
        model_version=score.model_version,
        scored_as=score.event_id,
    )
