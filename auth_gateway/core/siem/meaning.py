"""What an event means to whoever watches over many systems: how it ended, how bad it is, what was done about it.

Each format says this in numbers and words of its own; what is said is here, once.
"""

import re
from typing import Any, Final, Literal

import msgspec

from auth_gateway.core.event import Event
from auth_gateway.core.told import SHAPES
from auth_gateway.core.vocabulary import EventType

Outcome = Literal["success", "failure", "unknown"]
Response = Literal["", "allowed", "denied", "challenged", "unauthorized", "revoked"]
"""What the gateway did about it."""
Severity = Literal[1, 2, 3, 4]
"""Informational, low, medium, high."""

PRODUCT: Final = "riskgate"
SECOND_FACTORS: Final = frozenset({"mfa", "otp", "mca"})
"""Names of RFC 8176 that say: there was more than one."""


class Meaning(msgspec.Struct, frozen=True):
    """Of a type of event, whatever its circumstances."""

    outcome: Outcome
    severity: Severity
    response: Response = ""


_MEANINGS: Final[dict[EventType, Meaning]] = {
    "login.allowed": Meaning("success", 1, "allowed"),
    "login.mfa_required": Meaning("unknown", 2, "challenged"),
    "login.denied": Meaning("failure", 4, "denied"),
    "login.failed": Meaning("failure", 2, "unauthorized"),
    "login.high_risk": Meaning("unknown", 4),
    "mfa.passed": Meaning("success", 1, "allowed"),
    "mfa.failed": Meaning("failure", 3, "unauthorized"),
    "token.refresh_reused": Meaning("failure", 4, "revoked"),
    "token.denied": Meaning("failure", 4, "revoked"),
    "token.code_reused": Meaning("failure", 4, "revoked"),
    "session.started": Meaning("success", 1, "allowed"),
    "session.revoked": Meaning("success", 1, "revoked"),
    "session.risk_signalled": Meaning("unknown", 3),
    "session.step_up_required": Meaning("unknown", 3, "challenged"),
    "session.reset": Meaning("success", 3, "revoked"),
    "account.created": Meaning("success", 1),
    "account.frozen": Meaning("success", 3, "revoked"),
    "account.unfrozen": Meaning("success", 2),
    "account.erased": Meaning("success", 3, "revoked"),
    "account.recovered": Meaning("success", 2),
    "account.refused": Meaning("failure", 3, "denied"),
    "credential.added": Meaning("success", 2),
    "credential.removed": Meaning("success", 2),
    "credential.refused": Meaning("failure", 3, "denied"),
    "password.changed": Meaning("success", 1),
    "password.breached": Meaning("unknown", 3),
    "device.new": Meaning("unknown", 2),
    "device.trusted": Meaning("success", 1),
    "device.distrusted": Meaning("success", 1),
    "device.approved": Meaning("success", 1, "allowed"),
    "device.denied": Meaning("success", 1, "denied"),
    "sign_in.reported": Meaning("unknown", 4, "revoked"),
    "sign_in.confirmed": Meaning("unknown", 1),
    "consent.given": Meaning("success", 1),
    "consent.withdrawn": Meaning("success", 1),
    "risk.user_raised": Meaning("unknown", 2),
    "risk.user_lowered": Meaning("unknown", 1),
    "client.added": Meaning("success", 2),
    "client.removed": Meaning("success", 2),
    "client.secret_rotated": Meaning("success", 1),
    "key.added": Meaning("success", 1),
    "key.retired": Meaning("success", 1),
    "vault.rotated": Meaning("success", 1),
    "webhook.added": Meaning("success", 2),
    "webhook.changed": Meaning("success", 2),
    "webhook.removed": Meaning("success", 2),
    "webhook.secret_rotated": Meaning("success", 1),
    "webhook.disabled": Meaning("success", 3),
    "webhook.enabled": Meaning("success", 2),
    "webhook.tested": Meaning("success", 1),
    "webhook.retried": Meaning("success", 1),
    "webhook.replayed": Meaning("success", 2),
    "webhook.replay_stopped": Meaning("success", 1),
    "stream.added": Meaning("success", 2),
    "stream.changed": Meaning("success", 2),
    "stream.removed": Meaning("success", 2),
    "transmitter.added": Meaning("success", 3),
    "transmitter.changed": Meaning("success", 3),
    "transmitter.removed": Meaning("success", 3),
    "signal.received": Meaning("unknown", 3),
    "policy.changed": Meaning("success", 3),
    "policy.refused": Meaning("failure", 3),
    "webhook.test": Meaning("success", 1),
}
_POINTER: Final = re.compile(r"[;.] `.*", re.DOTALL)
_OF_LEVEL: Final[dict[str, Severity]] = {"low": 1, "medium": 3, "high": 4}
_RISKY: Final = frozenset({"login", "token", "device", "risk"})
_OF_DECISION: Final[dict[str, Response]] = {"allow": "allowed", "challenge": "challenged", "deny": "denied"}
_DECIDED: Final = frozenset({"login.allowed", "login.mfa_required", "login.denied", "login.high_risk", "mfa.passed"})


def meaning_of(event: Event) -> Meaning:
    """What it means in its circumstances: a risk makes worse what is about a risk, and what was decided was done."""
    meaning = _MEANINGS[event.type]
    severity, response = meaning.severity, meaning.response
    if event.type.partition(".")[0] in _RISKY and event.level in _OF_LEVEL:
        severity = max(severity, _OF_LEVEL[event.level])
    if event.type == "session.risk_signalled" and event.level in _OF_LEVEL:
        severity = max(severity, _OF_LEVEL[event.level])
    if event.techniques and event.type in {"session.revoked", "login.mfa_required"}:
        severity = max(severity, 3)
    if event.type in _DECIDED and event.decision in _OF_DECISION:
        response = _OF_DECISION[event.decision]
    return Meaning(meaning.outcome, severity, response)


def title_of(event: Event) -> str:
    """What happened, in one sentence; where to read more in the `standard` format is left out."""
    return _POINTER.sub(".", SHAPES[event.type].text)


def message_of(event: Event) -> str:
    """The title, and in a storm how many events it is told of."""
    more = f" {event.folded.count} more of the same." if event.folded else ""
    return title_of(event) + more


def reason_codes(event: Event) -> tuple[str, ...]:
    """Why the score is what it is, the weightiest first."""
    return tuple(reason.code for reason in event.facts.reasons)


def correlation_of(event: Event) -> str | None:
    """What ties the events of one login together: the login's own event, or the challenge between its halves."""
    return event.facts.challenge_id or event.facts.began_as or event.session_id


def person_of(event: Event) -> str | None:
    """The person's id, or the hash that this destination knows it by."""
    return event.user_id or event.user_hash


def filled(value: dict[str, Any]) -> dict[str, Any]:
    """Only what is known: a field that would be empty is left out, at every depth. False and 0 are values."""
    found = {}
    for name, each in value.items():
        kept = filled(each) if isinstance(each, dict) else each
        if isinstance(each, list | tuple):
            kept = [filled(one) if isinstance(one, dict) else one for one in each if one not in (None, "", {})]
        if kept is not None and kept != "" and kept != {} and kept != []:
            found[name] = kept
    return found
