"""The ordered tables that turn a score into an answer: the only place where a score is compared with a mark.

A frozen account never comes here: it is answered like a wrong password before anything is scored.
"""

from collections.abc import Collection
from math import isfinite

from auth_gateway.core.decision import Allow, Challenge, Decision, Deny
from auth_gateway.core.factor import Demand, FactorKind, usable
from auth_gateway.core.marks import SHARED, Marks
from auth_gateway.core.policy_row import NO_PHISHING_RESISTANT_FACTOR as NO_PHISHING_RESISTANT_FACTOR
from auth_gateway.core.policy_row import Policy as Policy
from auth_gateway.core.policy_row import Row, Situation
from auth_gateway.core.policy_row import Unchanged as Unchanged
from auth_gateway.core.user_risk import UserLevel
from risk_scorer.contract.assessment import RiskLevel as Level
from risk_scorer.contract.assessment import RiskScore, risk_level

USUAL_RISK = "usual_risk"
"""The reason that stands beside the scorer's where the person's own step-up mark was not reached."""
PASSWORD_RESET_NEEDED = "password_reset_needed"  # noqa: S105 -- a rule's name
"""The person's risk is high, and they have nothing but a new password to end that with. docs/decisions/0024."""


def _is_asked(now: Situation) -> bool:
    return now.level == "medium" and now.policy.medium_requires_mfa


def _is_person_asked(now: Situation) -> bool:
    return now.user_level == "medium" and now.policy.medium_requires_mfa


TABLE = (
    Row(rule="high", applies=lambda now: now.level == "high" and now.policy.high_deny, decision=Deny),
    Row(rule="high_passkey", applies=lambda now: now.level == "high" and now.shown_phishing_resistant, decision=Deny),
    Row(
        rule="unscored_passkey", applies=lambda now: now.level is None and now.shown_phishing_resistant, decision=Allow
    ),
    Row(
        rule="medium_passkey",
        applies=lambda now: now.level == "medium" and now.shown_phishing_resistant,
        decision=Allow,
    ),
    Row(
        rule="user_high",
        applies=lambda now: now.is_person_at_high_risk,
        decision=Challenge,
        demand="phishing_resistant",
        rule_without_factor=PASSWORD_RESET_NEEDED,
        rule_with_others=PASSWORD_RESET_NEEDED,
    ),
    Row(
        rule="unscored",
        applies=lambda now: now.level is None,
        decision=Challenge,
        demand="enrolled",
        rule_without_factor="no_factor_unscored",
    ),
    Row(
        rule="high_step_up",
        applies=lambda now: now.level == "high",
        decision=Challenge,
        demand="phishing_resistant",
        rule_without_factor="no_factor_high",
    ),
    Row(
        rule="near_high",
        applies=lambda now: now.is_near_high and _is_asked(now),
        decision=Challenge,
        demand="phishing_resistant",
        rule_without_factor="no_factor",
    ),
    Row(
        rule="medium_usual",
        applies=lambda now: now.is_within_leeway and now.user_level in {"none", "low"},
        decision=Allow,
    ),
    Row(rule="medium", applies=_is_asked, decision=Challenge, rule_without_factor="no_factor"),
    Row(rule="medium_allowed", applies=lambda now: now.level == "medium", decision=Allow),
    Row(
        rule="user_medium",
        applies=lambda now: _is_person_asked(now) and not now.shown_phishing_resistant,
        decision=Challenge,
        rule_without_factor="no_factor",
    ),
    Row(rule="low", applies=lambda now: now.level == "low", decision=Allow),
)
"""A login. Read from the top; the first row that applies answers. Why a person without a factor is refused and not let
in: docs/decisions/0003."""

REFRESH_TABLE = (
    Row(
        rule="user_high",
        applies=lambda now: now.is_person_at_high_risk and not (now.level == "high" and now.policy.high_deny),
        decision=Challenge,
        demand="phishing_resistant",
    ),
    Row(rule="unscored_same_context", applies=lambda now: now.level is None and now.same.context, decision=Allow),
    Row(rule="unscored_changed_context", applies=lambda now: now.level is None, decision=Challenge, demand="enrolled"),
    Row(rule="high", applies=lambda now: now.level == "high" and now.policy.high_deny, decision=Deny),
    Row(rule="high_step_up", applies=lambda now: now.level == "high", decision=Challenge, demand="phishing_resistant"),
    Row(rule="medium_same_client", applies=lambda now: now.level == "medium" and now.same.client, decision=Allow),
    Row(
        rule="near_high",
        applies=lambda now: now.is_near_high and _is_asked(now),
        decision=Challenge,
        demand="phishing_resistant",
    ),
    Row(rule="medium", applies=_is_asked, decision=Challenge),
    Row(rule="medium_allowed", applies=lambda now: now.level == "medium", decision=Allow),
    Row(rule="low", applies=lambda now: now.level == "low", decision=Allow),
)
"""A refresh: a challenge is a new login, a denial ends the session. docs/decisions/0009 says why."""

STEP_UP_TABLE = (
    Row(rule=PASSWORD_RESET_NEEDED, applies=lambda now: now.is_person_at_high_risk, decision=Deny),
    Row(rule="unscored_same_context", applies=lambda now: now.level is None and now.same.context, decision=Allow),
    Row(rule="unscored_changed_context", applies=lambda now: now.level is None, decision=Deny),
    Row(
        rule="high",
        applies=lambda now: now.level == "high" and (now.policy.high_deny or not now.same.context),
        decision=Deny,
    ),
    Row(
        rule=NO_PHISHING_RESISTANT_FACTOR,
        applies=lambda now: (
            now.is_near_high and _is_asked(now) and not now.same.context and not now.shown_phishing_resistant
        ),
        decision=Deny,
    ),
    Row(rule="stepped_up", applies=lambda _: True, decision=Allow),
)
"""The right answer to a challenge: medium is what it answers, high is not, and near high whoever sits elsewhere than
where the challenge was issued may have phished it. docs/decisions/0009 says why."""

CONTEXT_UNKNOWN = Allow("context_unknown")
"""An application's server comes back with a token and vouches for nothing: there is nothing to score."""


def decide(
    score: RiskScore | None,
    *,
    factors: Collection[FactorKind],
    policy: Policy,
    shown_phishing_resistant: bool = False,
    user_level: UserLevel = "none",
    marks: Marks = SHARED,
    leeway: float = 0.0,
) -> Decision:
    """The answer to one login whose password, or passkey that verified its user, was right; `factors` are the kinds
    that the person could show, `leeway` the points by which their own step-up mark lies higher."""
    situation = _situation(
        score,
        policy,
        shown_phishing_resistant=shown_phishing_resistant,
        user_level=user_level,
        marks=marks,
        leeway=leeway,
    )
    row = _row(TABLE, situation)
    reasons = (*_reasons(score), USUAL_RISK) if row.rule == "medium_usual" else _reasons(score)
    if row.decision is not Challenge:
        return row.decision(row.rule, reasons)
    if taken(factors, row.demand, policy):
        return Challenge(row.rule, reasons, demand=row.demand)
    has_another = row.demand == "phishing_resistant" and taken(factors, "enrolled", policy)
    return Deny(row.rule_with_others if has_another else row.rule_without_factor, reasons)


def decide_refresh(
    score: RiskScore | None,
    *,
    unchanged: Unchanged,
    policy: Policy,
    shown_phishing_resistant: bool = False,
    user_level: UserLevel = "none",
    marks: Marks = SHARED,
) -> Decision:
    """The answer to a refresh token that is good in itself; `shown_phishing_resistant` is how its session began."""
    situation = _situation(
        score,
        policy,
        unchanged,
        shown_phishing_resistant=shown_phishing_resistant,
        user_level=user_level,
        marks=marks,
    )
    row = _row(REFRESH_TABLE, situation)
    if row.decision is Challenge:
        return Challenge(row.rule, _reasons(score), demand=row.demand)
    return row.decision(row.rule, _reasons(score))


def decide_step_up(
    score: RiskScore | None,
    *,
    unchanged: Unchanged,
    policy: Policy,
    shown_phishing_resistant: bool = False,
    user_level: UserLevel = "none",
    marks: Marks = SHARED,
) -> Decision:
    """The answer to a right answer to a challenge."""
    situation = _situation(
        score,
        policy,
        unchanged,
        shown_phishing_resistant=shown_phishing_resistant,
        user_level=user_level,
        marks=marks,
    )
    row = _row(STEP_UP_TABLE, situation)
    return row.decision(row.rule, _reasons(score))


def taken(factors: Collection[FactorKind], demand: Demand, policy: Policy) -> tuple[FactorKind, ...]:
    """Those of a person's factors that a challenge takes under this policy, the strongest first."""
    kinds = usable(factors, demand)
    return kinds if policy.email_code else tuple(kind for kind in kinds if kind != "email_code")


def available(kinds: Collection[FactorKind], policy: Policy) -> tuple[FactorKind, ...]:
    """What a person could show at a login: what their account has, and the word of an MFA system where it counts."""
    return usable({*kinds, "push"} if policy.push else kinds, "any")


def level_of(score: RiskScore | None) -> Level | None:
    """The level of a score, or None when it is no score: not a number, out of range, or at odds with its own level."""
    if score is None or not isfinite(score.risk_score) or not 0.0 <= score.risk_score <= 100.0:
        return None
    level = risk_level(score.risk_score)
    return level if level == score.risk_level else None


def level_by(marks: Marks, risk_score: float) -> Level:
    """What a number that is a score means by these marks; by the shared ones what the scorer says."""
    if risk_score >= marks.deny:
        return "high"
    return "medium" if risk_score >= marks.step_up else "low"


def is_worth_announcing(score: RiskScore | None, threshold: float) -> bool:
    """Whether a denial is to be told to the general webhook. Without a score there is nothing to hold against it."""
    return score is not None and level_of(score) is not None and score.risk_score >= threshold


def _situation(
    score: RiskScore | None,
    policy: Policy,
    same: Unchanged = Unchanged(),  # noqa: B008 -- frozen
    *,
    shown_phishing_resistant: bool = False,
    user_level: UserLevel = "none",
    marks: Marks = SHARED,
    leeway: float = 0.0,
) -> Situation:
    number = score.risk_score if score is not None and level_of(score) is not None else None
    level = None if number is None else level_by(marks, number)
    is_near_high = number is not None and level == "medium" and number >= policy.phishing_resistant_from
    mark = marks.step_up + min(leeway, policy.leeway_points)
    return Situation(
        level=level,
        is_near_high=is_near_high,
        policy=policy,
        same=same,
        shown_phishing_resistant=shown_phishing_resistant,
        user_level=user_level,
        is_within_leeway=number is not None and level == "medium" and not is_near_high and number < mark,
    )


def _row(table: tuple[Row, ...], situation: Situation) -> Row:
    return next(row for row in table if row.applies(situation))


def _reasons(score: RiskScore | None) -> tuple[str, ...]:
    if score is None or level_of(score) is None:
        return ()
    return tuple(reason.code for reason in score.reasons)
