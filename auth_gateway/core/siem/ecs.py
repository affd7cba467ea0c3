"""An event in the Elastic Common Schema: nested names, categorised, with what has no field there under our own name.

Source: ECS 8.17; the values of event.kind, event.category, event.type and event.outcome are those that it allows.
"""

from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from auth_gateway.core.event import Event
from auth_gateway.core.siem.meaning import (
    PRODUCT,
    correlation_of,
    filled,
    meaning_of,
    message_of,
    person_of,
    reason_codes,
)
from auth_gateway.core.vocabulary import EventType
from risk_scorer.contract import attack

SCHEMA_VERSION: Final = "8.17.0"

Category = Literal["authentication", "iam", "session", "configuration", "threat"]
EventKind = Literal["event", "alert", "state"]


class Row(msgspec.Struct, frozen=True):
    """How ECS sorts a type of event."""

    category: tuple[Category, ...]
    type: tuple[str, ...]
    kind: EventKind = "event"


_AUTHENTICATION: Final = ("authentication",)
ROWS: Final[dict[EventType, Row]] = {
    "login.allowed": Row(_AUTHENTICATION, ("start",)),
    "login.mfa_required": Row(_AUTHENTICATION, ("info",)),
    "login.denied": Row(_AUTHENTICATION, ("start",)),
    "login.failed": Row(_AUTHENTICATION, ("start",)),
    "login.high_risk": Row(("authentication", "threat"), ("indicator",), "alert"),
    "mfa.passed": Row(_AUTHENTICATION, ("start",)),
    "mfa.failed": Row(_AUTHENTICATION, ("start",)),
    "token.refresh_reused": Row(("authentication", "session", "threat"), ("indicator",), "alert"),
    "token.denied": Row(("authentication", "session"), ("end",)),
    "token.code_reused": Row(("authentication", "session", "threat"), ("indicator",), "alert"),
    "session.started": Row(("session",), ("start",)),
    "session.revoked": Row(("session",), ("end",)),
    "session.risk_signalled": Row(("session", "threat"), ("indicator",), "alert"),
    "session.step_up_required": Row(("authentication", "session"), ("info",)),
    "session.reset": Row(("session",), ("end",)),
    "account.created": Row(("iam",), ("user", "creation")),
    "account.frozen": Row(("iam",), ("user", "change")),
    "account.unfrozen": Row(("iam",), ("user", "change")),
    "account.erased": Row(("iam",), ("user", "deletion")),
    "account.recovered": Row(("iam",), ("user", "change")),
    "account.refused": Row(_AUTHENTICATION, ("start",)),
    "credential.added": Row(("iam",), ("user", "change")),
    "credential.removed": Row(("iam",), ("user", "change")),
    "credential.refused": Row(("authentication", "threat"), ("indicator",), "alert"),
    "password.changed": Row(("iam",), ("user", "change")),
    "password.breached": Row(("iam", "threat"), ("indicator",), "alert"),
    "device.new": Row(_AUTHENTICATION, ("info",)),
    "device.trusted": Row(("iam",), ("user", "change")),
    "device.distrusted": Row(("iam",), ("user", "change")),
    "device.approved": Row(_AUTHENTICATION, ("info",)),
    "device.denied": Row(_AUTHENTICATION, ("info",)),
    "sign_in.reported": Row(("authentication", "threat"), ("indicator",), "alert"),
    "sign_in.confirmed": Row(_AUTHENTICATION, ("info",)),
    "consent.given": Row(("iam",), ("user", "change")),
    "consent.withdrawn": Row(("iam",), ("user", "change")),
    "risk.user_raised": Row(("iam", "threat"), ("indicator",), "alert"),
    "risk.user_lowered": Row(("iam",), ("info",), "state"),
    "client.added": Row(("configuration", "iam"), ("creation",)),
    "client.removed": Row(("configuration", "iam"), ("deletion",)),
    "client.secret_rotated": Row(("configuration", "iam"), ("change",)),
    "key.added": Row(("configuration",), ("creation",)),
    "key.retired": Row(("configuration",), ("deletion",)),
    "vault.rotated": Row(("configuration",), ("change",)),
    "webhook.added": Row(("configuration",), ("creation",)),
    "webhook.changed": Row(("configuration",), ("change",)),
    "webhook.removed": Row(("configuration",), ("deletion",)),
    "webhook.secret_rotated": Row(("configuration",), ("change",)),
    "webhook.disabled": Row(("configuration",), ("change",)),
    "webhook.enabled": Row(("configuration",), ("change",)),
    "webhook.tested": Row(("configuration",), ("info",)),
    "webhook.retried": Row(("configuration",), ("change",)),
    "webhook.replayed": Row(("configuration",), ("change",)),
    "webhook.replay_stopped": Row(("configuration",), ("change",)),
    "stream.added": Row(("configuration",), ("creation",)),
    "stream.changed": Row(("configuration",), ("change",)),
    "stream.removed": Row(("configuration",), ("deletion",)),
    "transmitter.added": Row(("configuration",), ("creation",)),
    "transmitter.changed": Row(("configuration",), ("change",)),
    "transmitter.removed": Row(("configuration",), ("deletion",)),
    "signal.received": Row(("iam", "threat"), ("indicator",), "alert"),
    "policy.changed": Row(("configuration",), ("change",)),
    "policy.refused": Row(("configuration",), ("change",)),
    "webhook.test": Row(("configuration",), ("info",)),
}


def ecs(event: Event) -> bytes:
    """The event as one line of JSON."""
    return msgspec.json.encode(ecs_of(event))


def ecs_of(event: Event) -> dict[str, Any]:
    """The event as a document."""
    return filled(
        {
            "@timestamp": _moment(event.ts),
            "ecs": {"version": SCHEMA_VERSION},
            "message": message_of(event),
            "event": _event(event),
            "user": _user(event),
            **_network(event),
            "user_agent": _user_agent(event),
            "device": {"id": event.facts.device},
            "service": {"name": event.client_id or PRODUCT, "type": "identity"},
            "organization": {"id": event.tenant},
            "observer": {"product": PRODUCT, "vendor": PRODUCT, "type": "identity"},
            "rule": {"name": event.rule, "ruleset": "login policy"} if event.decision else {},
            "threat": _threat(event.techniques),
            "related": {"user": _known(person_of(event), event.username), "ip": _known(event.ip)},
            "trace": {"id": correlation_of(event)},
            PRODUCT: _own(event),
        }
    )


def _event(event: Event) -> dict[str, Any]:
    row, meaning = ROWS[event.type], meaning_of(event)
    return {
        "id": event.event_id,
        "kind": row.kind,
        "category": list(row.category),
        "type": list(row.type),
        "outcome": meaning.outcome,
        "action": event.type,
        "code": event.type,
        "module": PRODUCT,
        "provider": PRODUCT,
        "dataset": f"{PRODUCT}.events",
        "reason": event.rule,
        "severity": meaning.severity,
        "risk_score": event.score,
        "risk_score_norm": event.score,
        "start": event.folded and _moment(event.folded.first_ts),
        "end": event.folded and _moment(event.folded.last_ts),
    }


def _user(event: Event) -> dict[str, Any]:
    """The person; their own risk where the event is about that, and not about a login."""
    is_about_person = event.type.startswith("risk.")
    risk = {"calculated_score_norm": event.score, "calculated_level": event.level} if is_about_person else {}
    return {"id": event.user_id, "hash": event.user_hash, "name": event.username, "risk": risk}


def _network(event: Event) -> dict[str, Any]:
    """Where the request came from; a network or a hash in place of the address stands under `address`."""
    facts = event.facts
    source = {
        "ip": event.ip,
        "address": event.ip or event.ip_prefix or event.ip_hash,
        "geo": {"country_iso_code": facts.country, "region_name": facts.region, "city_name": facts.city},
        "as": {"number": facts.asn},
    }
    return {"source": source}


def _user_agent(event: Event) -> dict[str, Any]:
    facts = event.facts
    return {"original": facts.user_agent, "name": facts.browser, "os": {"name": facts.os}}


def _threat(ids: tuple[str, ...]) -> dict[str, Any]:
    """Each technique once, and the sub-technique beside it."""
    found = [attack.TECHNIQUES[each] for each in ids]
    parents = list(dict.fromkeys(attack.TECHNIQUES[each.parent_id] for each in found))
    subs = [each for each in found if each.id != each.parent_id]
    tactics = list(dict.fromkeys(each.tactic for each in found))
    return {
        "framework": attack.FRAMEWORK if found else "",
        "tactic": {"id": [each.id for each in tactics], "name": [each.name for each in tactics]},
        "technique": {**_named(parents), "subtechnique": _named(subs)},
    }


def _named(techniques: list[attack.Technique]) -> dict[str, Any]:
    return {
        "id": [each.id for each in techniques],
        "name": [each.name for each in techniques],
        "reference": [each.url for each in techniques],
    }


def _own(event: Event) -> dict[str, Any]:
    """What has no field in ECS, under the names of the `standard` format."""
    facts = event.facts
    return {
        "decision": event.decision,
        "risk_level": event.level,
        "model_version": event.model_version,
        "session_id": event.session_id,
        "incident_id": event.incident_id,
        "challenge_id": facts.challenge_id,
        "began_as": facts.began_as,
        "reasons": list(reason_codes(event)),
        "new": list(facts.new),
        "factors": list(facts.factors),
        "demand": facts.demand,
        "method": facts.method,
        "amr": list(facts.amr),
        "ja4": facts.ja4,
        "network_kind": facts.network_kind,
        "is_listed": facts.is_listed or None,
        "by": facts.by,
        "detail": event.detail,
        "folded": {"count": event.folded.count, "event_ids": list(event.folded.event_ids)} if event.folded else {},
        "replay_id": event.replay_id,
    }


def _moment(ts: float) -> str:
    return datetime.fromtimestamp(ts, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _known(*values: str | None) -> list[str]:
    return [value for value in values if value]
