"""What the world is told about a decision: the exact bytes of a webhook message. Who gets them is not here.

Shape: Standard Webhooks (type, timestamp, data). A message refers to an incident or a challenge by its public id and
never holds a challenge token, a session id or anything that could be used in the person's place.
"""

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from auth_gateway.core.context import LoginContext
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.feedback import Outcome, OutcomeKind

EventType = Literal["login.mfa_required", "login.denied"]

OUTCOME_EVENT_TYPE = "login.outcome"


class Announced(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says besides the score."""

    event_type: EventType
    event_id: str
    user_id: str
    username: str
    rule: str
    challenge_id: str | None = None
    incident_id: str | None = None


def message(announced: Announced, *, tenant: str, context: LoginContext, score: RiskScore | None, now: float) -> bytes:
    """The body of one webhook message; score, level and explanation are null when there was no score."""
    data: dict[str, Any] = {
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
    return msgspec.json.encode({"type": announced.event_type, "timestamp": iso_time(now), "data": data})


def outcome(event: LoginEvent, *, outcome_id: str, name: OutcomeKind, now: float) -> bytes:
    """How an attempt ended, in the scorer's own words; `outcome_id` lets it count each end once."""
    return msgspec.json.encode(Outcome(event_id=outcome_id, event=event, outcome=name, ts=now))


def iso_time(now: float) -> str:
    """ISO 8601 in UTC with milliseconds and a Z."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
