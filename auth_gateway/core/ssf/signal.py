"""Which of our events is which event of CAEP and RISC, and what is told of it: no address, no device, no score.

Source: OpenID CAEP 1.0, sections 2 and 3; OpenID RISC 1.0, section 2; the CAEP Interoperability Profile 1.0, which
wants `reason_admin` filled.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from auth_gateway.core.account import RENEWAL, REPORTED, SHIELD
from auth_gateway.core.claims import PASSWORD, SEVERAL_FACTORS, SINGLE_FACTOR_LEVEL
from auth_gateway.core.event import Event
from auth_gateway.core.factor import FACTOR_KINDS, by_one_more
from auth_gateway.core.ssf import event_types as types
from auth_gateway.core.ssf.effects import SIGNAL_RECEIVED
from auth_gateway.core.ssf.subject import person, session_of
from auth_gateway.core.user_risk import OF_VERDICT, user_level
from auth_gateway.core.vocabulary import EventType

Payload = dict[str, Any]

_SESSION_ENDS: Final[Mapping[str, tuple[str, str]]] = {
    "logout": ("user", "The person signed out."),
    "owner": ("user", "The person ended the session in their own account."),
    "another_person": ("user", "Another person signed in at the same browser."),
    "reported": ("user", "The person said that a sign-in was not theirs."),
    "recovered": ("user", "The person recovered the account by a link that was mailed."),
    "password_changed": ("user", "The password was changed."),
    "password_set": ("admin", "An operator set another password."),
    "revocation_endpoint": ("system", "The application revoked its tokens."),
    "operator": ("admin", "An operator ended the session."),
    "account_frozen": ("admin", "An operator froze the account."),
    "client_removed": ("admin", "The application was removed."),
    "factors_removed": ("admin", "An operator took the person's factors away."),
    "compromised": ("admin", "An analyst found the account compromised."),
    "refresh_token_reused": ("policy", "A spent refresh token came back."),
    "high_risk": ("policy", "The risk was high."),
    "repeated_risk": ("policy", "The risk stayed above what may go on without a login."),
    SIGNAL_RECEIVED: ("policy", "Another provider reported something."),
    "session_risk": ("policy", "What was done in the session was risky."),
    "session_risk_everywhere": ("policy", "What was done in one of the person's sessions was very risky."),
    SHIELD: ("policy", "The account is frozen until somebody has looked at what was done in it."),
    RENEWAL: ("admin", "Somebody who looked at it wants the password renewed."),
    "reset_by_review": ("admin", "Somebody who looked at it ended the person's sessions."),
    "ended_by_review": ("admin", "Somebody who looked at it ended the session."),
    "policy_document": ("policy", "A rule of the operator's refused to let it go on."),
}
_CREDENTIALS: Final[Mapping[str, str]] = {"totp": "app", "passkey": "fido2", "recovery_codes": "recovery-codes"}
"""CAEP names no type for a passkey that may live on the device, in an account or on a key, nor for recovery codes."""
_RISK_LEVELS: Final[Mapping[str, str]] = {"none": "LOW", "low": "LOW", "medium": "MEDIUM", "high": "HIGH"}


_OF_A_SESSION: Final = frozenset({"session.revoked", "session.step_up_required"})


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One event in the words of others."""

    event_type: str
    subject: dict[str, Any]
    payload: Payload


def signal_of(event: Event, issuer: str) -> Signal | None:
    """What others are told of an event; None for one that has no name among them, or is about nobody."""
    found = _SIGNALS.get(event.type)
    if found is None or event.user_id is None:
        return None
    event_type, told = found
    payload = told(event)
    if payload is None:
        return None
    is_session = event.type in _OF_A_SESSION and event.session_id is not None
    subject = session_of(issuer, event.user_id, event.session_id or "") if is_session else person(issuer, event.user_id)
    return Signal(event_type=event_type, subject=subject, payload={"event_timestamp": int(event.ts), **payload})


def transaction_of(event_id: str) -> str:
    """What several events of one cause have in common: `txn` (RFC 8417, section 2.2)."""
    return event_id.partition(".")[0]


def _session_revoked(event: Event) -> Payload:
    who, why = _SESSION_ENDS.get(event.rule or "", ("system", "The session was ended."))
    return _told(who, why)


def _password_changed(event: Event) -> Payload:
    return _changed("password", "update", event, "The password was changed.")


def _recovered(event: Event) -> Payload:
    return _changed("password", "update", event, "The password was set anew by a link that was mailed.")


def _added(event: Event) -> Payload:
    return _changed(_credential(event), "create", event, "A factor was enrolled.")


def _removed(event: Event) -> Payload:
    if event.rule == REPORTED:
        return _changed(_credential(event), "revoke", event, "Somebody else had enrolled it: a sign-in was reported.")
    return _changed(_credential(event), "delete", event, "A factor was removed.")


def _passed(event: Event) -> Payload | None:
    """Only where the factor lifts the login above what was shown before; `acr` is what ID tokens say."""
    kind = next((kind for kind in FACTOR_KINDS if kind == event.facts.method), None)
    before = event.facts.amr or (PASSWORD,)
    if kind is None or SEVERAL_FACTORS in before:
        return None
    level = by_one_more(before, kind, event.ts).acr
    if level == SINGLE_FACTOR_LEVEL:
        return None
    return {
        "namespace": "NIST-AAL",
        "current_level": "nist-aal2",
        "previous_level": "nist-aal1",
        "change_direction": "increase",
        "acr": level,
        **_told("user", "The person showed another factor."),
    }


def _step_up_required(_event: Event) -> Payload:
    """What the session was trusted with before does not count any more, until a factor lifts it again."""
    return {
        "namespace": "NIST-AAL",
        "current_level": "nist-aal1",
        "previous_level": "nist-aal2",
        "change_direction": "decrease",
        **_told("policy", "What was done in the session was risky: its owner is asked for a factor."),
    }


def _disabled(event: Event) -> Payload:
    if event.rule == SHIELD:
        return {"reason": "hijacking", **_told("policy", "What was done in a session of the person was very risky.")}
    if event.rule == REPORTED:
        return {"reason": "hijacking", **_told("user", "The person said that a sign-in was not theirs.")}
    if event.rule == SIGNAL_RECEIVED:
        return _told("policy", "Another provider reported something.")
    if event.rule == RENEWAL:
        return _told("admin", "Nobody gets in until the person has set another password.")
    return _told("admin", "An operator froze the account.")


def _enabled(event: Event) -> Payload:
    if event.rule in {REPORTED, RENEWAL}:
        return _told("user", "The person recovered the account.")
    return _told("admin", "An operator opened the account.")


def _purged(_event: Event) -> Payload:
    return _told("admin", "The account was erased.")


def _breached(_event: Event) -> Payload:
    return {"credential_type": "password", **_told("system", "The password is on a list of known ones.")}


def _reported(_event: Event) -> Payload:
    return {"credential_type": "password", **_told("user", "The person said that a sign-in was not theirs.")}


def _risk(event: Event) -> Payload | None:
    """Only where the level is another one, as far as the event tells."""
    level = _RISK_LEVELS.get(event.level or "")
    before = _level_before(event)
    if level is None or level == before:
        return None
    who = "admin" if event.rule in OF_VERDICT else "policy"
    told = {"principal": "USER", "current_level": level, **_told(who, "The person's risk has changed.")}
    told |= {"risk_reason": event.rule} if event.rule else {}
    return told | ({"previous_level": before} if before else {})


def _level_before(event: Event) -> str | None:
    """The level that it was, None where nobody wrote it down."""
    before = event.facts.risk_before
    return None if before is None else _RISK_LEVELS[user_level(before)]


def _changed(credential: str, change: str, event: Event, why: str) -> Payload:
    return {"credential_type": credential, "change_type": change, **_told(_initiator(event), why)}


def _credential(event: Event) -> str:
    return _CREDENTIALS.get(event.detail or "", "app")


def _initiator(event: Event) -> str:
    """An operator's commands come from no address."""
    return "admin" if event.ip is None else "user"


def _told(who: str, why: str) -> Payload:
    return {"initiating_entity": who, "reason_admin": {"en": why}}


_SIGNALS: Final[Mapping[EventType, tuple[str, Callable[[Event], Payload | None]]]] = {
    "session.revoked": (types.SESSION_REVOKED, _session_revoked),
    "session.step_up_required": (types.ASSURANCE_LEVEL_CHANGE, _step_up_required),
    "password.changed": (types.CREDENTIAL_CHANGE, _password_changed),
    "account.recovered": (types.CREDENTIAL_CHANGE, _recovered),
    "credential.added": (types.CREDENTIAL_CHANGE, _added),
    "credential.removed": (types.CREDENTIAL_CHANGE, _removed),
    "mfa.passed": (types.ASSURANCE_LEVEL_CHANGE, _passed),
    "account.frozen": (types.ACCOUNT_DISABLED, _disabled),
    "account.unfrozen": (types.ACCOUNT_ENABLED, _enabled),
    "account.erased": (types.ACCOUNT_PURGED, _purged),
    "password.breached": (types.CREDENTIAL_COMPROMISE, _breached),
    "sign_in.reported": (types.CREDENTIAL_COMPROMISE, _reported),
    "risk.user_raised": (types.RISK_LEVEL_CHANGE, _risk),
    "risk.user_lowered": (types.RISK_LEVEL_CHANGE, _risk),
}
