"""The ordered tables that turn a score into an answer: the only place where a score is compared with a mark.

A frozen account never comes here: it is answered like a wrong password before anything is scored.
"""

from collections.abc import Callable, Collection
from math import isfinite

import msgspec

from auth_gateway.core.decision import Allow, Challenge, Decision, Deny
from auth_gateway.core.factor import Demand, FactorKind, usable
from auth_gateway.core.user_risk import HALF_LIFE_SECONDS, UserLevel
from risk_scorer.contract.assessment import RiskLevel as Level
from risk_scorer.contract.assessment import RiskScore, risk_level


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's switches. None of them can turn a high risk into an allow.

    From `phishing_resistant_from` on a medium risk takes factors alone that cannot be phished; 80 switches that off.
    `email_code` says whether a code by mail is a factor at all, `push` whether an MFA system's word is everybody's.
    What is held against a person fades by the half-life.
    """

    high_deny: bool = True
    medium_requires_mfa: bool = True
    phishing_resistant_from: float = 75.0
    email_code: bool = True
    push: bool = False
    user_risk_half_life_seconds: float = HALF_LIFE_SECONDS


class Unchanged(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody who comes back has kept (`core.origin`): everything that we can see, or their own client and
    country while the network is another."""

    context: bool = False
    client: bool = False


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What a row is held against. `is_near_high` is a medium risk from the policy's mark on;
    `shown_phishing_resistant` says that a factor was shown which cannot be phished; `user_level` is what is held
    against the person, whatever they do now."""

    level: Level | None
    is_near_high: bool
    policy: Policy
    same: Unchanged = Unchanged()
    shown_phishing_resistant: bool = False
    user_level: UserLevel = "none"

    @property
    def is_person_at_high_risk(self) -> bool:
        """Whether nothing speaks for the person but what cannot be phished, and that was not shown."""
        return self.user_level == "high" and not self.shown_phishing_resistant


NO_PHISHING_RESISTANT_FACTOR = "no_phishing_resistant_factor"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table: when it applies, and what it answers; a challenge takes the factors of `demand`, and the
    other two rules are those of a person who has none of them, or only others."""

    rule: str
    applies: Callable[[Situation], bool]
    decision: type[Decision]
    demand: Demand = "any"
    rule_without_factor: str = ""
    rule_with_others: str = NO_PHISHING_RESISTANT_FACTOR


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
) -> Decision:
    """The answer to one login whose password, or passkey that verified its user, was right; `factors` are the kinds
    that the person could show."""
    situation = _situation(score, policy, shown_phishing_resistant=shown_phishing_resistant, user_level=user_level)
    row = _row(TABLE, situation)
    reasons = _reasons(score)
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
) -> Decision:
    """The answer to a refresh token that is good in itself; `shown_phishing_resistant` is how its session began."""
    situation = _situation(
        score, policy, unchanged, shown_phishing_resistant=shown_phishing_resistant, user_level=user_level
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
) -> Decision:
    """The answer to a right answer to a challenge."""
    situation = _situation(
        score, policy, unchanged, shown_phishing_resistant=shown_phishing_resistant, user_level=user_level
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
) -> Situation:
    level = level_of(score)
    is_near_high = score is not None and level == "medium" and score.risk_score >= policy.phishing_resistant_from
    return Situation(
        level=level,
        is_near_high=is_near_high,
        policy=policy,
        same=same,
        shown_phishing_resistant=shown_phishing_resistant,
        user_level=user_level,
    )


def _row(table: tuple[Row, ...], situation: Situation) -> Row:
    return next(row for row in table if row.applies(situation))


def _reasons(score: RiskScore | None) -> tuple[str, ...]:
    if score is None or level_of(score) is None:
        return ()
    return tuple(reason.code for reason in score.reasons)
