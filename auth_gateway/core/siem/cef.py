"""An event as one line of the Common Event Format, version 0.

Source: Micro Focus ArcSight, Common Event Format, version 26: the head's seven fields with `\\` and `|` escaped, the
extension's values with `\\`, `=` and line ends escaped, and its own keys for what we have.
"""

import re
from typing import Final

from auth_gateway.core.event import VERSION, Event
from auth_gateway.core.siem.meaning import PRODUCT, correlation_of, meaning_of, person_of, reason_codes, title_of

_SEVERITIES: Final = {1: 1, 2: 3, 3: 6, 4: 8}
"""0 to 3 is low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high."""
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


def cef(event: Event) -> bytes:
    """The event as one line, in UTF-8."""
    severity = _SEVERITIES[meaning_of(event).severity]
    head = ("CEF:0", PRODUCT, PRODUCT, str(VERSION), event.type, title_of(event), str(severity))
    extension = " ".join(f"{key}={escaped_value(value)}" for key, value in _extension(event).items() if value)
    return "|".join([head[0], *map(escaped_head, head[1:]), extension]).encode()


def escaped_head(text: str) -> str:
    """A field of the head: it cannot hold a line end, so one becomes a space."""
    return _plain(text).replace("\\", "\\\\").replace("|", "\\|").replace("\r", " ").replace("\n", " ")


def escaped_value(text: str) -> str:
    """A value of the extension."""
    return _plain(text).replace("\\", "\\\\").replace("=", "\\=").replace("\r", "\\r").replace("\n", "\\n")


def _plain(text: str) -> str:
    """Without control characters, which a terminal or a parser that reads on would obey."""
    return _CONTROLS.sub(" ", text)


def _extension(event: Event) -> dict[str, str]:
    facts, meaning = event.facts, meaning_of(event)
    found = {
        "rt": str(round(event.ts * 1_000)),
        "externalId": event.event_id,
        "cat": event.type.partition(".")[0],
        "act": event.decision or meaning.response,
        "outcome": meaning.outcome,
        "reason": event.rule or "",
        "suser": facts.by,
        "duser": event.username,
        "duid": person_of(event) or "",
        **_address(event),
        "requestClientApplication": facts.user_agent,
        "destinationServiceName": event.client_id or PRODUCT,
        "deviceExternalId": facts.device,
        "msg": event.detail or "",
        **_span(event),
        f"{PRODUCT}ReplayId": event.replay_id or "",
    }
    labelled = {
        "cs1": ("riskReasons", ",".join(reason_codes(event))),
        "cs2": ("sessionId", event.session_id or ""),
        "cs3": ("incidentId", event.incident_id or ""),
        "cs4": ("attackTechniques", ",".join(event.techniques)),
        "cs5": ("correlationId", correlation_of(event) or ""),
        "cs6": ("riskLevel", event.level or ""),
        "cfp1": ("riskScore", "" if event.score is None else f"{event.score:g}"),
        "cn1": ("asn", "" if facts.asn is None else str(facts.asn)),
        "flexString1": ("country", facts.country),
        "flexString2": ("tenant", event.tenant),
    }
    for key, (label, value) in labelled.items():
        if value:
            found |= {f"{key}Label": label, key: value}
    return found


def _span(event: Event) -> dict[str, str]:
    """How many events it tells as one, from when to when, and the ids of the first."""
    folded = event.folded
    if folded is None:
        return {}
    return {
        "cnt": str(folded.count),
        "start": str(round(folded.first_ts * 1_000)),
        "end": str(round(folded.last_ts * 1_000)),
        "msg": f"{event.detail or ''} {folded.count} more of the same: {' '.join(folded.event_ids)}".strip(),
    }


def _address(event: Event) -> dict[str, str]:
    """`src` holds an IPv4 address; others have a key of their own."""
    if event.ip_prefix or event.ip_hash:
        return {"shost": event.ip_prefix or event.ip_hash or ""}
    if not event.ip:
        return {}
    if ":" in event.ip:
        return {"c6a2Label": "Source IPv6 Address", "c6a2": event.ip}
    return {"src": event.ip}
