"""The objects of OCSF that events of ours have a part in: the person, where they come from, on what, and what with."""

from collections.abc import Iterable
from typing import Any, Final

from auth_gateway.core.event import Event
from auth_gateway.core.siem.meaning import PRODUCT, SECOND_FACTORS, person_of, reason_codes
from risk_scorer.contract import attack

Object = dict[str, Any]
NOBODY: Final = "unknown"
"""The user of a login under a name that nobody has; the name itself is written down nowhere."""

_DESKTOP, _MOBILE, _UNKNOWN_DEVICE = (2, "Desktop"), (5, "Mobile"), (0, "Unknown")
_SYSTEMS: Final[dict[str, tuple[int, str, tuple[int, str]]]] = {
    "windows": (100, "Windows", _DESKTOP),
    "mac os x": (300, "macOS", _DESKTOP),
    "macos": (300, "macOS", _DESKTOP),
    "linux": (200, "Linux", _DESKTOP),
    "ubuntu": (200, "Linux", _DESKTOP),
    "android": (201, "Android", _MOBILE),
    "ios": (301, "iOS", _MOBILE),
    "ipados": (302, "iPadOS", _MOBILE),
}
_FACTORS: Final[dict[str, Object]] = {
    "pwd": {"factor_type_id": 11, "factor_type": "Password"},
    "passkey": {"factor_type_id": 10, "factor_type": "WebAuthn"},
    "pop": {"factor_type_id": 10, "factor_type": "WebAuthn"},
    "totp": {"factor_type_id": 7, "factor_type": "OTP", "is_totp": True},
    "otp": {"factor_type_id": 7, "factor_type": "OTP", "is_totp": True},
    "recovery_code": {"factor_type_id": 99, "factor_type": "Recovery Code"},
    "email_code": {"factor_type_id": 8, "factor_type": "Email"},
    "mca": {"factor_type_id": 8, "factor_type": "Email"},
    "push": {"factor_type_id": 5, "factor_type": "Push Notification"},
}
"""Our own names of factors, and those of RFC 8176 that name one."""


def user(event: Event) -> Object:
    """The person that it is about."""
    person = person_of(event)
    if person is None:
        return {"uid": NOBODY, "type_id": 0, "type": "Unknown"}
    return {"uid": person, "name": event.username, "type_id": 1, "type": "User"}


def source(event: Event) -> Object:
    """Where the request came from; an address that the destination gets as a network or a hash stands under `name` or
    `uid`, since neither is an address."""
    facts = event.facts
    if not (event.ip or event.ip_prefix or event.ip_hash):
        return {}
    return {
        "ip": event.ip,
        "name": event.ip_prefix,
        "subnet_uid": event.ip_prefix,
        "uid": event.ip_hash,
        "location": {"country": facts.country, "region": facts.region, "city": facts.city},
        "autonomous_system": {"number": facts.asn},
        "type_id": device_type(event)[0],
        "type": device_type(event)[1],
    }


def device(event: Event) -> Object:
    """What the person holds; nothing where neither it nor its address is known."""
    facts = event.facts
    if not (facts.device or event.ip):
        return {}
    type_id, caption = device_type(event)
    number, name, _ = _SYSTEMS.get(facts.os.lower(), (99, facts.os, _UNKNOWN_DEVICE))
    system = {"type_id": number, "type": name, "name": facts.os} if facts.os else {}
    return {
        "uid": facts.device,
        "ip": event.ip,
        "subnet": event.ip_prefix,
        "type_id": type_id,
        "type": caption,
        "os": system,
    }


def device_type(event: Event) -> tuple[int, str]:
    """What kind of device its system is used on."""
    return _SYSTEMS.get(event.facts.os.lower(), (0, "", _UNKNOWN_DEVICE))[2]


def factors(event: Event) -> list[Object]:
    """What was shown, each once. Another channel is a code by mail, and beside several factors an MFA system."""
    amr = ["push" if name == "mca" and "mfa" in event.facts.amr else name for name in event.facts.amr]
    names = [name for name in (*amr, event.facts.method) if name in _FACTORS]
    found = list({name: _FACTORS[name] for name in names}.values())
    return [each for place, each in enumerate(found) if each not in found[:place]]


def is_mfa(event: Event) -> bool:
    """Whether more than one factor was shown."""
    return bool(SECOND_FACTORS.intersection(event.facts.amr)) or len(factors(event)) > 1


def session(event: Event) -> Object:
    """The session that began, or is over."""
    if event.session_id is None:
        return {}
    return {"uid": event.session_id, "is_remote": True, "is_mfa": is_mfa(event)}


def application(event: Event) -> Object:
    """Where the person wanted to go: the application, or the gateway itself."""
    name = event.client_id or PRODUCT
    return {"uid": name, "name": name}


def attacks(ids: Iterable[str]) -> list[Object]:
    """The techniques that it may be a sign of."""
    return [_attack(attack.TECHNIQUES[each]) for each in ids]


def _attack(technique: attack.Technique) -> Object:
    parent = attack.TECHNIQUES[technique.parent_id]
    found = {
        "technique": _named(parent),
        "tactics": [{"uid": technique.tactic.id, "name": technique.tactic.name}],
        "version": attack.VERSION,
    }
    return found if parent is technique else {**found, "sub_technique": _named(technique)}


def _named(technique: attack.Technique) -> Object:
    return {"uid": technique.id, "name": technique.name, "src_url": technique.url}


def observables(event: Event) -> list[Object]:
    """What an analyst looks for in other logs."""
    found = (
        ("user.name", 4, "User Name", event.username),
        ("user.uid", 31, "User Object: uid", person_of(event)),
        ("src_endpoint.ip", 2, "IP Address", event.ip),
        ("device.subnet", 12, "Subnet", event.ip_prefix),
        ("http_request.user_agent", 16, "HTTP User-Agent", event.facts.user_agent),
    )
    return [
        {"name": name, "type_id": number, "type": caption, "value": value}
        for name, number, caption, value in found
        if value
    ]


def span(event: Event) -> Object:
    """How many events it tells as one, and from when to when; their ids have no place in the schema."""
    folded = event.folded
    if folded is None:
        return {}
    first, last = round(folded.first_ts * 1_000), round(folded.last_ts * 1_000)
    return {"count": folded.count, "start_time": first, "end_time": last, "duration": last - first}


def unmapped(event: Event) -> Object:
    """What the schema has no place for, under the names of the `standard` format."""
    facts = event.facts
    return {
        "challenge_id": facts.challenge_id,
        "incident_id": event.incident_id,
        "began_as": facts.began_as,
        "model_version": event.model_version,
        "browser": facts.browser,
        "ja4": facts.ja4,
        "network_kind": facts.network_kind,
        "is_listed": facts.is_listed or None,
        "new": list(facts.new),
        "factors": list(facts.factors),
        "demand": facts.demand,
        "method": facts.method,
        "detail": event.detail,
        "folded_event_ids": list(event.folded.event_ids) if event.folded else [],
        "replay_id": event.replay_id,
        "reasons": [
            {"code": each.code, "points": each.points, "observed": each.observed, "usual": each.usual}
            for each in facts.reasons
        ],
    }


def risk_words(event: Event) -> str:
    """The reasons of the score in one line: their sentences where this destination may read them, else their codes."""
    return " ".join(each.text for each in event.facts.reasons if each.text) or ", ".join(reason_codes(event))
