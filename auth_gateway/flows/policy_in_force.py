"""The policy document, and what its rules may ask about people. The built-in answer comes from whoever asks; without a
document it is the verdict.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from auth_gateway.core.circumstances import Circumstances, country_of, reason_codes, risk_of
from auth_gateway.core.claims import PHISHING_RESISTANT_LEVEL
from auth_gateway.core.decision import Decision
from auth_gateway.core.marks import SHARED, Marks, marks_for
from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_rule import PolicyDocument
from auth_gateway.core.policy_verdict import Verdict, verdict
from auth_gateway.flows.judged import Recognised
from auth_gateway.flows.ports import UNSCORED, NobodyAtRisk, NoDocument, PolicyDocuments, UserRisks
from risk_scorer.contract.assessment import RiskScore


def nobody(_user_id: str) -> str:
    """Whom no rule asks about has no name here."""
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyInForce:
    """The document, and what it may ask of people. `username_of` is asked only where a rule names people."""

    documents: PolicyDocuments = field(default_factory=NoDocument)
    user_risks: UserRisks = field(default_factory=NobodyAtRisk)
    username_of: Callable[[str], str] = nobody

    @property
    def document(self) -> PolicyDocument:
        """The one that answers now."""
        return self.documents.current()

    def user_risk(self, user_id: str, now: float) -> float:
        """The person's own risk, 0 to 100."""
        return self.user_risks.value_of(user_id, now)

    def username(self, user_id: str, known: str = "") -> str:
        """The person's name, where a rule of the document asks for it."""
        return known or (self.username_of(user_id) if self.document.names_people else "")

    def marks(self, client_id: str, username: str, score: RiskScore | None = None) -> Marks:
        """From which score on this person is asked or denied at this application; without a score for those of models
        that are not known any more."""
        version = "" if score is None else score.model_version
        return marks_for(self.document.marks, client_id=client_id, username=username, model_version=version)

    def on_login(
        self, login: Recognised, score: RiskScore | None, built_in: Decision, policy: Policy, marks: Marks = SHARED
    ) -> Verdict:
        """What becomes of a login whose password, or passkey, was right."""
        has_passkey = login.authentication.acr == PHISHING_RESISTANT_LEVEL
        now = Circumstances(
            path="login",
            client_id=login.context.client_id,
            username=login.account.username,
            ip=login.context.ip,
            country=country_of(score, login.context.country),
            factors=login.factors,
            shown="passkey" if has_passkey else None,
            login_risk=risk_of(score, marks),
            user_risk=login.risk.value_at(login.now, policy.user_risk_half_life_seconds),
            reasons=reason_codes(score),
            unscored=UNSCORED.get() if score is None else "",
        )
        return verdict(self.document, now, built_in, policy=policy)
