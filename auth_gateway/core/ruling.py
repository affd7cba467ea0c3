"""What policy said of somebody who came back, with the score it said it by. Values only; the tables are in `policy`."""

import msgspec

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.decision import Allow, Decision
from risk_scorer.contract.assessment import RiskScore


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What policy says, and the score it says it by; `scored_as` is the event id that the scorer knows that score by.

    `score` is None without one and where an earlier answer was reused.
    """

    decision: Decision
    score: RiskScore | None = None
    risk_score: float | None = None
    level: str | None = None
    model_version: str | None = None
    scored_as: str | None = None

    def on(self, line: AuditEvent) -> AuditEvent:
        """The audit line with what was decided and why."""
        reused = self.scored_as is not None and self.scored_as != line.event_id
        details = [line.detail or "", *self.decision.reasons, f"scored as {self.scored_as}" if reused else ""]
        return msgspec.structs.replace(
            line,
            decision=self.decision.name,
            rule=line.rule or (None if self.decision.rule == "low" else self.decision.rule),
            score=self.risk_score,
            level=self.level,
            model_version=self.model_version,
            detail=" ".join(filter(None, details)) or None,
        )


def is_let_go_on(ruling: Ruling | None) -> bool:
    """Whether there is a ruling and it allows."""
    return ruling is not None and isinstance(ruling.decision, Allow)


def ruling_on(decision: Decision, score: RiskScore | None) -> Ruling:
    """The decision with the score it was made by."""
    if score is None:
        return Ruling(decision=decision)
    return Ruling(
        decision=decision,
        score=score,
        risk_score=score.risk_score,
        level=score.risk_level,
        model_version=score.model_version,
        scored_as=score.event_id,
    )
