"""The ordered table that turns a score into an answer: the only place where a score is compared with a mark.

A frozen account never comes here: it is answered like a wrong password before anything is scored.
"""

from collections.abc import Callable
from math import isfinite

import msgspec

from auth_gateway.core.decision import Allow, Challenge, Decision, Deny
from risk_scorer.contract.assessment import RiskLevel as Level
from risk_scorer.contract.assessment import RiskScore, risk_level


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's two switches. Neither of them can turn a high risk into an allow."""

    high_deny: bool = True
    medium_requires_mfa: bool = True


class Row(msgspec.Struct, frozen=True):
    """One line of the table: when it applies, and what it answers with and without an enrolled factor."""

    rule: str
    applies: Callable[[Level | None, Policy], bool]
    with_factor: type[Decision]
    without_factor: type[Decision]
    rule_without_factor: str


class Unchanged(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody who comes back has kept (`core.origin`): everything that we can see, or their own client and
    country while the network is another."""

    context: bool = False
    client: bool = False


class Recheck(msgspec.Struct, frozen=True):
    """One line of the tables for who was recognised before: when it applies, and what it answers."""

    rule: str
    applies: Callable[[Level | None, Unchanged, Policy], bool]
    decision: type[Decision]


TABLE = (
    Row("unscored", lambda level, _: level is None, Challenge, Deny, "no_factor_unscored"),
    Row("high", lambda level, policy: level == "high" and policy.high_deny, Deny, Deny, "high"),
    Row("high_step_up", lambda level, _: level == "high", Challenge, Deny, "no_factor_high"),
    Row("medium", lambda level, policy: level == "medium" and policy.medium_requires_mfa, Challenge, Deny, "no_factor"),
    Row("medium_allowed", lambda level, _: level == "medium", Allow, Allow, "medium_allowed"),
    Row("low", lambda level, _: level == "low", Allow, Allow, "low"),
)
"""Read from the top; the first row that applies answers. Why a person without a factor is refused and not let in:
docs/decisions/0003."""

REFRESH_TABLE = (
    Recheck("unscored_same_context", lambda level, same, _: level is None and same.context, Allow),
    Recheck("unscored_changed_context", lambda level, _same, _: level is None, Challenge),
    Recheck("high", lambda level, _same, policy: level == "high" and policy.high_deny, Deny),
    Recheck("high_step_up", lambda level, _same, _: level == "high", Challenge),
    Recheck("medium_same_client", lambda level, same, _: level == "medium" and same.client, Allow),
    Recheck("medium", lambda level, _same, policy: level == "medium" and policy.medium_requires_mfa, Challenge),
    Recheck("medium_allowed", lambda level, _same, _: level == "medium", Allow),
    Recheck("low", lambda level, _same, _: level == "low", Allow),
)
"""A refresh: a challenge is a new login, a denial ends the session. docs/decisions/0009 says why."""

STEP_UP_TABLE = (
    Recheck("unscored_same_context", lambda level, same, _: level is None and same.context, Allow),
    Recheck("unscored_changed_context", lambda level, _same, _: level is None, Deny),
    Recheck("high", lambda level, same, policy: level == "high" and (policy.high_deny or not same.context), Deny),
    Recheck("stepped_up", lambda _level, _same, _: True, Allow),
)
"""The right code for a challenge: medium is what it answers, high is not. docs/decisions/0009 says why."""

CONTEXT_UNKNOWN = Allow("context_unknown")
"""An application's server comes back with a token and vouches for nothing: there is nothing to score."""


def decide(score: RiskScore | None, *, has_factor: bool, policy: Policy) -> Decision:
    """The answer to one login whose password was right."""
    level = level_of(score)
    row = next(row for row in TABLE if row.applies(level, policy))
    reasons = tuple(reason.code for reason in score.reasons) if score is not None and level is not None else ()
    if has_factor:
        return row.with_factor(row.rule, reasons)
    return row.without_factor(row.rule_without_factor, reasons)


def decide_refresh(score: RiskScore | None, *, unchanged: Unchanged, policy: Policy) -> Decision:
    """The answer to a refresh token that is good in itself."""
    return _decide_again(REFRESH_TABLE, score, unchanged=unchanged, policy=policy)


def decide_step_up(score: RiskScore | None, *, unchanged: Unchanged, policy: Policy) -> Decision:
    """The answer to a right code for a challenge."""
    return _decide_again(STEP_UP_TABLE, score, unchanged=unchanged, policy=policy)


def _decide_again(
    table: tuple[Recheck, ...], score: RiskScore | None, *, unchanged: Unchanged, policy: Policy
) -> Decision:
    level = level_of(score)
    row = next(row for row in table if row.applies(level, unchanged, policy))
    reasons = tuple(reason.code for reason in score.reasons) if score is not None and level is not None else ()
    return row.decision(row.rule, reasons)


def level_of(score: RiskScore | None) -> Level | None:
    """The level of a score, or None when it is no score: not a number, out of range, or at odds with its own level."""
    if score is None or not isfinite(score.risk_score) or not 0.0 <= score.risk_score <= 100.0:
        return None
    level = risk_level(score.risk_score)
    return level if level == score.risk_level else None


def is_worth_announcing(score: RiskScore | None, threshold: float) -> bool:
    """Whether a denial is to be told to the general webhook. Without a score there is nothing to hold against it."""
    return score is not None and level_of(score) is not None and score.risk_score >= threshold
