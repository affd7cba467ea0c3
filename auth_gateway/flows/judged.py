"""One attempt on its way to a decision: recognised, then judged. Values only."""

from collections.abc import Callable

import msgspec

from auth_gateway.core.account import Account
from auth_gateway.core.announcement import Announced
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.claims import PHISHING_RESISTANT_LEVEL, SINGLE_FACTOR_LEVEL, Authentication
from auth_gateway.core.context import Client, LoginContext, login_event
from auth_gateway.core.decision import Challenge, Decision
from auth_gateway.core.factor import FactorKind, by_trusted_device, is_enrolled
from auth_gateway.core.facts import facts_of
from auth_gateway.core.leeway import NO_LEEWAY, Leeway
from auth_gateway.core.policy import level_of
from auth_gateway.core.policy_verdict import Verdict
from auth_gateway.core.push import Asked
from auth_gateway.core.user_risk import NO_RISK, UserRisk
from plumbing.statements import Transaction
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import LoginEvent


class Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt whose password, or passkey, was right for `account`; `factors` are the kinds that its owner could
    show beside it.

    `upgraded_hash` is to replace the password's hash when there is one; `is_password_listed` is the blocklist's word
    about it, None where none was shown. `spend` runs first in the transaction of the decision, whatever that is, and
    may run twice; False refuses, for what was shown was spent by somebody else. `is_trusted_device` says that the
    browser was the owner's trusted one a moment ago; `risk` is what is held against its owner, `leeway` how often its
    owner answered a challenge.
    """

    event_id: str
    now: float
    account: Account
    authentication: Authentication
    factors: tuple[FactorKind, ...]
    client: Client
    context: LoginContext
    upgraded_hash: str | None = None
    is_password_listed: bool | None = None
    spend: Callable[[Transaction], bool] | None = None
    is_trusted_device: bool = False
    risk: UserRisk = NO_RISK
    leeway: Leeway = NO_LEEWAY

    @property
    def leeway_points(self) -> float:
        """By how much its owner's own step-up mark lies higher here: on no device that is new to the account."""
        return self.leeway.points(self.now) if self.context.is_known_device else 0.0

    @property
    def event(self) -> LoginEvent:
        """The attempt as the scorer is asked about it."""
        return login_event(self.context, event_id=self.event_id, user_id=self.account.user_id, success=True)


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt with its score, if there is one, and what policy says."""

    login: Recognised
    event: LoginEvent
    score: RiskScore | None
    verdict: Verdict

    @property
    def decision(self) -> Decision:
        """Policy's answer."""
        return self.verdict.decision

    @property
    def leans_on_trust(self) -> bool:
        """Whether the browser that its owner trusts stands in for a factor: at a low risk, and for nothing that risk
        asks for. Somebody without a factor has nothing that it could stand in for."""
        login = self.login
        return (
            login.is_trusted_device
            and level_of(self.score) == "low"
            and login.authentication.acr == SINGLE_FACTOR_LEVEL
            and is_enrolled(login.factors)
        )

    @property
    def authentication(self) -> Authentication:
        """How whoever is let in was recognised."""
        return by_trusted_device(self.login.now) if self.leans_on_trust else self.login.authentication

    def line(
        self, kind: Kind, *, session_id: str | None = None, incident_id: str | None = None, challenge_id: str = ""
    ) -> AuditEvent:
        """The audit line of this decision."""
        score = self.score
        return AuditEvent(
            event_id=self.login.event_id,
            ts=self.login.now,
            kind=kind,
            user_id=self.login.account.user_id,
            client_id=self.login.context.client_id,
            session_id=session_id,
            ip=self.login.context.ip,
            decision=self.decision.name,
            rule=self.decision.rule,
            score=score.risk_score if score else None,
            level=score.risk_level if score else None,
            model_version=score.model_version if score else None,
            incident_id=incident_id,
            detail=" ".join(self.decision.reasons) or None,
            facts=msgspec.structs.replace(
                self.verdict.on(facts_of(self.login.context, score)),
                factors=self.login.factors,
                demand=self.decision.demand if isinstance(self.decision, Challenge) else "",
                amr=tuple(self.authentication.amr_text.split()),
                challenge_id=challenge_id,
                shown_phishing_resistant=self.login.authentication.acr == PHISHING_RESISTANT_LEVEL,
                is_known_device=self.login.context.is_known_device,
                leeway=self.login.leeway_points,
            ),
        )

    def announced(
        self, *, challenge_id: str | None = None, incident_id: str | None = None, push: Asked | None = None
    ) -> Announced:
        """What a webhook message says of this decision."""
        return Announced(
            event_id=self.login.event_id,
            user_id=self.login.account.user_id,
            username=self.login.account.username,
            rule=self.decision.rule,
            challenge_id=challenge_id,
            incident_id=incident_id,
            push=push,
        )
