"""What the world is told about a decision: the data of a webhook message. Its envelope and its receiver are not here.

A message refers to an incident or a challenge by its public id and never holds a challenge token, a session id or
anything else that could be used in the person's place.
"""

from typing import Literal

import msgspec

from auth_gateway.core.context import LoginContext
from auth_gateway.core.push import Asked
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.decisions import Decision
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.feedback import BY_OWNER, Feedback, Outcome, OutcomeKind, VerdictKind, source_of

EventType = Literal["login.mfa_required", "login.denied", "session.revoked", "account.frozen", "password.breached"]

OUTCOME_EVENT_TYPE = "login.outcome"
VERDICT_EVENT_TYPE = "login.verdict"


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """Whom and what a message is about, besides the score."""

    event_id: str
    user_id: str
    username: str
    rule: str
    challenge_id: str | None = None
    incident_id: str | None = None
    push: Asked | None = None


def announced_data(
    announced: Announced, *, tenant: str, context: LoginContext, score: RiskScore | None
) -> dict[str, object]:
    """The `data` of one message; score, level and explanation are null when there was no score."""
    data: dict[str, object] = {
        "tenant": tenant,
        "event_id": announced.event_id,
        "user_id": announced.user_id,
        "username": announced.username,
        "client_id": context.client_id,
        "ip": context.ip,
        "rule": announced.rule,
        "risk_score": score.risk_score if score else None,
        "risk_level": score.risk_level if score else None,
        "explain": score.explain if score else None,
        "reasons": score.reasons if score else [],
        "model_version": score.model_version if score else None,
    }
    if announced.challenge_id is not None:
        data["challenge_id"] = announced.challenge_id
    if announced.incident_id is not None:
        data["incident_id"] = announced.incident_id
    if announced.push is not None:
        data["push"] = announced.push
    return data


def account_data(announced: Announced, *, tenant: str, ip: str) -> dict[str, object]:
    """The `data` of a message that is about an account and no score: it was frozen on its owner's word, or its
    password is on a list. `ip` is where that was said or shown."""
    return {
        "tenant": tenant,
        "event_id": announced.event_id,
        "user_id": announced.user_id,
        "username": announced.username,
        "rule": announced.rule,
        "ip": ip,
    }


def verdict_body(scored_as: str, *, was_owner: bool, now: float, by: str = BY_OWNER) -> bytes:
    """What the owner, or an analyst of that name, says of a login, in the scorer's own words."""
    verdict: VerdictKind = "confirmed_safe" if was_owner else "confirmed_compromised"
    return msgspec.json.encode(Feedback(event_id=scored_as, verdict=verdict, by=by, ts=now, source=source_of(by, None)))


def outcome_body(
    event: LoginEvent, *, outcome_id: str, outcome: OutcomeKind, now: float, decisions: tuple[Decision, ...] = ()
) -> bytes:
    """How an attempt ended, in the scorer's own words; `outcome_id` lets it count each end once."""
    told = Outcome(event_id=outcome_id, event=event, outcome=outcome, ts=now, decisions=decisions)
    return msgspec.json.encode(told)
