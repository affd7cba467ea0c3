"""An event as OCSF has it: one class a type, numbers with their captions, empty fields left out.

Source: OCSF 1.5.0, classes Authentication (3002), Account Change (3001), Entity Management (3004) and Detection Finding
(2004).
"""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from auth_gateway.core.event import Event
from auth_gateway.core.siem import ocsf_objects as objects
from auth_gateway.core.siem.meaning import PRODUCT, Meaning, correlation_of, filled, meaning_of, message_of, title_of
from auth_gateway.core.siem.ocsf_classes import (
    ACCOUNT_CHANGE,
    ACTIONS,
    AUTHENTICATION,
    DETECTION_FINDING,
    DISPOSITIONS,
    NEW,
    PROFILES,
    RESOLVED,
    RISK_LEVELS,
    ROWS,
    SCHEMA_VERSION,
    SEVERITIES,
    STATUSES,
    Row,
)

ALERT_FROM: Final = 3
"""The severity from which somebody should look at a finding or a refusal."""
_MODEL, _RULE, _BEHAVIOUR = (4, "Learning (ML/DL)"), (1, "Rule"), (2, "Behavioral")
_OAUTH, _OPENID, _OTHER = (6, "OAUTH 2.0"), (4, "OpenID"), 99


def ocsf(event: Event) -> bytes:
    """The event as one line of JSON."""
    return msgspec.json.encode(ocsf_of(event))


def ocsf_of(event: Event) -> dict[str, Any]:
    """The event as an object of its class."""
    row, meaning = ROWS[event.type], meaning_of(event)
    found = {**_base(event, row, meaning), **_control(event, meaning)}
    if row.event_class is AUTHENTICATION:
        found |= _authentication(event)
    elif row.event_class is ACCOUNT_CHANGE:
        found |= _account_change(event)
    elif row.event_class is DETECTION_FINDING:
        found |= _finding(event, meaning)
    else:
        found |= _entity(event)
    return filled(found)


def _base(event: Event, row: Row, meaning: Meaning) -> dict[str, Any]:
    event_class, activity, status = row.event_class, row.activity, STATUSES[meaning.outcome]
    return {
        "class_uid": event_class.uid,
        "class_name": event_class.name,
        "category_uid": event_class.category.id,
        "category_name": event_class.category.text,
        "activity_id": activity.id,
        "activity_name": activity.text,
        "type_uid": event_class.uid * 100 + activity.id,
        "type_name": f"{event_class.name}: {activity.text}",
        "time": milliseconds(event.ts),
        **objects.span(event),
        "timezone_offset": 0,
        "severity_id": meaning.severity,
        "severity": SEVERITIES[meaning.severity],
        "status_id": status.id,
        "status": status.text,
        "status_code": event.rule,
        "status_detail": event.detail,
        "message": message_of(event),
        "metadata": {
            "version": SCHEMA_VERSION,
            "uid": event.event_id,
            "event_code": event.type,
            "log_name": "events",
            "log_version": str(event.version),
            "original_time": _moment(event.ts),
            "profiles": list(PROFILES),
            "correlation_uid": correlation_of(event),
            "tenant_uid": event.tenant,
            "product": {"name": PRODUCT, "vendor_name": PRODUCT, "feature": {"name": event.type.partition(".")[0]}},
        },
        "observables": objects.observables(event),
        "unmapped": objects.unmapped(event),
    }


def _control(event: Event, meaning: Meaning) -> dict[str, Any]:
    """What the gateway did about it, by which rule, for which risk."""
    action, disposition = ACTIONS.get(meaning.response), DISPOSITIONS.get(meaning.response)
    level = RISK_LEVELS.get(event.level or "")
    return {
        "action_id": action and action.id,
        "action": action and action.text,
        "disposition_id": disposition and disposition.id,
        "disposition": disposition and disposition.text,
        "policy": {"name": event.rule, "is_applied": True} if event.decision and event.rule else None,
        "risk_level_id": level and level.id,
        "risk_level": level and level.text,
        "risk_score": None if event.score is None else round(event.score),
        "risk_details": objects.risk_words(event),
        "is_alert": meaning.severity >= ALERT_FROM,
        "attacks": objects.attacks(event.techniques),
    }


def _whereabouts(event: Event) -> dict[str, Any]:
    return {
        "src_endpoint": objects.source(event),
        "device": objects.device(event),
        "http_request": {"user_agent": event.facts.user_agent},
        "actor": {"app_uid": event.client_id, "app_name": event.client_id},
    }


def _authentication(event: Event) -> dict[str, Any]:
    number, name = _protocol(event)
    return {
        **_whereabouts(event),
        "user": objects.user(event),
        "service": objects.application(event),
        "session": objects.session(event),
        "auth_factors": objects.factors(event),
        "auth_protocol_id": number,
        "auth_protocol": name,
        "is_mfa": objects.is_mfa(event),
        "is_remote": True,
        "is_cleartext": False,
    }


def _protocol(event: Event) -> tuple[int, str]:
    """What the person, or for tokens the application, said it in."""
    if event.type.startswith("token."):
        return _OAUTH
    if event.type.startswith("session."):
        return _OPENID
    is_passkey = event.facts.method == "passkey" or "pop" in event.facts.amr
    return (_OTHER, "WebAuthn" if is_passkey else "Password")


def _account_change(event: Event) -> dict[str, Any]:
    return {**_whereabouts(event), "user": objects.user(event)}


def _entity(event: Event) -> dict[str, Any]:
    """What an operator changed: an application, a key, a destination of events, the policy. Its name comes first in
    the detail."""
    family = event.type.partition(".")[0]
    name = (event.client_id if family == "client" else (event.detail or "").partition(" ")[0]) or family
    return {
        "entity": {"uid": name, "name": name, "type_id": 5 if family == "policy" else 99, "type": family},
        "actor": {"app_name": event.facts.by or PRODUCT},
        "comment": event.detail,
    }


def _finding(event: Event, meaning: Meaning) -> dict[str, Any]:
    """What looks like an attack, and on what evidence."""
    facts = event.facts
    status = RESOLVED if event.type in {"sign_in.confirmed", "risk.user_lowered"} else NEW
    about = objects.user(event)
    evidence = {
        "user": about,
        "src_endpoint": objects.source(event),
        "device": objects.device(event),
        "http_request": {"user_agent": facts.user_agent},
        "ja4_fingerprint_list": [{"type_id": 1, "type": "JA4", "value": facts.ja4}] if facts.ja4 else [],
    }
    return {
        "status_id": status.id,
        "status": status.text,
        "device": objects.device(event),
        "actor": {"app_uid": event.client_id, "app_name": event.client_id, "session": objects.session(event)},
        "evidences": [evidence],
        "resources": [{"uid": about["uid"], "name": about.get("name"), "type": "account", "owner": about}],
        "finding_info": {
            "uid": event.event_id,
            "title": title_of(event),
            "types": [event.type],
            "created_time": milliseconds(event.ts),
            "analytic": _analytic(event),
            "attacks": objects.attacks(event.techniques),
            "data_sources": ["login", "session", "token"],
            "product": {"name": PRODUCT, "vendor_name": PRODUCT},
        },
    }


def _analytic(event: Event) -> dict[str, Any]:
    """Who found it: the model that scored, or a rule."""
    if event.model_version is not None:
        number, caption = _MODEL
        return {
            "name": "login risk model",
            "uid": "login_risk",
            "type_id": number,
            "type": caption,
            "version": event.model_version,
        }
    number, caption = _BEHAVIOUR if event.type == "device.new" else _RULE
    name = event.rule or event.type
    return {"name": name, "uid": name, "type_id": number, "type": caption}


def milliseconds(ts: float) -> int:
    """Epoch milliseconds, as OCSF and CEF count time."""
    return round(ts * 1_000)


def _moment(ts: float) -> str:
    return datetime.fromtimestamp(ts, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
