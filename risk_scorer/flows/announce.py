"""What a high-risk login says to the receivers of webhooks.

Builds bytes; storing and sending them happens elsewhere.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from risk_scorer.flows.ports import Announcement, ScoredEvent
from webhooks.announcement import announcement
from webhooks.announcement import message_id as standard_id

HIGH_RISK = "login.high_risk"
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


def message_id(event_id: str) -> str:
    """The webhook id of an event's high-risk message.

    It ends in its own kind, because the gateway announces its decision about the same event and a receiver takes equal
    ids for repeats. An id that the caller chose freely may hold what no header can, so anything unusual is replaced by
    its digest.
    """
    plain = event_id if _PLAIN_ID.fullmatch(event_id) else hashlib.sha256(event_id.encode()).hexdigest()
    return standard_id(f"{plain}_high_risk")
