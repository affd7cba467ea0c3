"""Who may see the own account, and who may change what it is proven with. Asked at each page, with the risk of the very
request: a right password at medium risk opens no door that would outlast it.
"""

from typing import Literal

import msgspec

from auth_gateway.core.claims import PHISHING_RESISTANT_LEVEL, TWO_FACTOR_LEVEL
from auth_gateway.core.decision import Challenge, Decision, Deny
from auth_gateway.core.factor import Demand, FactorKind, is_enrolled, is_shown, usable
from auth_gateway.core.provider.assurance import is_strong_enough
from auth_gateway.core.provider.authorization import AccountVisit
from auth_gateway.core.provider.journey import GiveCode, SignIn, Standing, Step, StepUp
from auth_gateway.core.session import Session
from risk_scorer.contract.assessment import RiskLevel, risk_level

FRESH_SECONDS = 900
"""How long after a step-up, or after the password where there is no factor, the account may be changed."""

Access = Literal["enter", "sign_in", "step_up", "not_now", "end"]
"""Go in; first a login; first a factor; not from here and now; the session is over."""


class Grounds(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer rests on. `kinds` are the person's factors, `demand` is what the risk asks of one, `level` None
    is unscored; `is_same_place` says that the request comes, as far as we see, from where the session began."""

    session: Session
    kinds: tuple[FactorKind, ...]
    decision: Decision
    level: RiskLevel | None
    demand: Demand
    is_same_place: bool


def demand_of(decision: Decision, risk_score: float | None, *, phishing_resistant_from: float) -> Demand:
    """What a factor must be that lets somebody change the account: never a code by mail, whatever a login takes."""
    asked = decision.demand if isinstance(decision, Challenge) else "any"
    is_near_high = risk_score is not None and risk_score >= phishing_resistant_from
    return "phishing_resistant" if is_near_high or asked == "phishing_resistant" else "enrolled"


def is_strengthened(session: Session, now: float) -> bool:
    """Whether a factor was shown in this session, and a short while ago. A trusted device shows none."""
    has_shown = is_shown(session.amr.split()) and is_strong_enough(session.acr, TWO_FACTOR_LEVEL)
    return has_shown and now - max(session.created_at, session.answered_at or 0.0) <= FRESH_SECONDS


def access(grounds: Grounds, *, is_sensitive: bool, now: float) -> Access:
    """What this request may do. `is_sensitive` is a page that changes how the account is proven."""
    if isinstance(grounds.decision, Deny):
        return "end"
    if _is_answered(grounds, now):
        return "enter"
    can_step_up = bool(usable(grounds.kinds, grounds.demand))
    if isinstance(grounds.decision, Challenge):
        # A scorer that does not answer is no reason to trust a code more than a password.
        return "step_up" if can_step_up and grounds.level is not None else "sign_in"
    if not is_sensitive:
        return "enter"
    if is_enrolled(grounds.kinds):
        return "step_up" if can_step_up else "not_now"
    return _without_factor(grounds, now)


def _is_answered(grounds: Grounds, now: float) -> bool:
    """Whether a factor was shown for what the risk is now: at a low risk wherever it was, otherwise from here."""
    if not is_strengthened(grounds.session, now):
        return False
    if grounds.demand == "phishing_resistant" and grounds.session.acr != PHISHING_RESISTANT_LEVEL:
        return False
    is_quiet = grounds.level == "low" and not isinstance(grounds.decision, Challenge)
    return is_quiet or grounds.is_same_place


def _without_factor(grounds: Grounds, now: float) -> Access:
    """Nothing but the password speaks for this person, so the risk must be low, and must have been when they came."""
    began_at = grounds.session.risk_score
    if grounds.level != "low" or began_at is None or risk_level(began_at) != "low":
        return "not_now"
    return "enter" if now - grounds.session.auth_time <= FRESH_SECONDS else "sign_in"


def visit_step(visit: AccountVisit, standing: Standing, *, now: float) -> Step:
    """The next card on the way to the account; the page itself judges once more."""
    session = standing.session
    if session is None:
        return SignIn()
    can_step_up = bool(usable(standing.factors, visit.demand))
    if session.session_id == visit.insufficient:
        return StepUp(visit.demand) if can_step_up and not visit.needs_login else SignIn()
    if visit.is_sensitive and can_step_up and not is_strengthened(session, now):
        return StepUp(visit.demand)
    return GiveCode()
