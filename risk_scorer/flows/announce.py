"""What the receivers of webhooks are told: of a high-risk login, and of a model that no longer fits.

Builds bytes; storing and sending them happens elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import msgspec

from risk_scorer.core.drift_report import DriftReport
from risk_scorer.flows.ports import Announcement, ScoredEvent
from webhooks.announcement import announcement
from webhooks.announcement import message_id as standard_id

HIGH_RISK = "login.high_risk"
DRIFT = "model.drift"
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


def high_risk_message(scored: ScoredEvent, *, tenant: str) -> Announcement:
    """The `login.high_risk` message about this event; the same event always makes the same message id."""
    event, score = scored.event, scored.score
    data = {
        "tenant": tenant,
        "event_id": score.event_id,
        "user_id": event.user_id,
        "ip": event.ip,
        "device_id": event.device_id,
        "success": event.success,
        "risk_score": score.risk_score,
        "risk_level": score.risk_level,
        "model_label": score.model_label,
        "explain": {**msgspec.to_builtins(score.explain), "ja4": event.ja4, "ja4h": event.ja4h, "ja4s": event.ja4s},
        "reasons": score.reasons,
        "model_version": score.model_version,
        "ts_scored": score.ts_scored,
    }
    body = announcement(HIGH_RISK, at=score.ts_scored, data=data)
    return Announcement(message_id=message_id(score.event_id), event_type=HIGH_RISK, body=body)


def drift_message(
    found: DriftReport, past_before: Sequence[str], *, because: str, number: int, tenant: str
) -> Announcement:
    """The `model.drift` message: an alarm was raised or cleared; `number` counts these changes, so each has an id."""
    data = {
        "tenant": tenant,
        "state": "raised" if found.past else "cleared",
        "model_version": found.model_version,
        "past": found.past,
        "past_before": past_before,
        "because": None if found.past else because,
        "logins": found.logins,
        "since": found.since,
        "until": found.until,
        "score_psi": found.score.psi,
        "features": [each.name for each in found.features if each.state == "past"],
    }
    body = announcement(DRIFT, at=found.until, data=data)
    return Announcement(message_id=standard_id(f"drift_{found.model_version}_{number}"), event_type=DRIFT, body=body)


def message_id(event_id: str) -> str:
    """The webhook id of an event's high-risk message.

    It ends in its own kind, because the gateway announces its decision about the same event and a receiver takes equal
    ids for repeats. An id that the caller chose freely may hold what no header can, so anything unusual is replaced by
    its digest.
    """
    plain = event_id if _PLAIN_ID.fullmatch(event_id) else hashlib.sha256(event_id.encode()).hexdigest()
    return standard_id(f"{plain}_high_risk")
