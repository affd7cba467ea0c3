"""The closed vocabulary of events that others are told of, and which audit lines are such events."""

from typing import Literal

from auth_gateway.core.audit import Kind

EventType = Literal[
    "login.allowed",
    "login.mfa_required",
    "login.denied",
    "login.failed",
    "login.high_risk",
    "mfa.passed",
    "mfa.failed",
    "token.refresh_reused",
    "token.denied",
    "token.code_reused",
    "session.started",
    "session.revoked",
    "account.created",
    "account.frozen",
    "account.unfrozen",
    "account.recovered",
    "account.email_verified",
    "account.refused",
    "credential.added",
    "credential.removed",
    "credential.refused",
    "password.changed",
    "password.breached",
    "device.new",
    "device.trusted",
    "device.distrusted",
    "device.approved",
    "device.denied",
    "sign_in.reported",
    "sign_in.confirmed",
    "consent.given",
    "consent.withdrawn",
    "risk.user_raised",
    "risk.user_lowered",
    "client.added",
    "client.removed",
    "client.secret_rotated",
    "key.added",
    "key.retired",
    "vault.rotated",
    "webhook.added",
    "webhook.changed",
    "webhook.removed",
    "webhook.secret_rotated",
    "webhook.disabled",
    "webhook.enabled",
    "stream.added",
    "stream.changed",
    "stream.removed",
    "policy.changed",
    "webhook.test",
]

_TYPES: dict[Kind, EventType] = {
    "login.allowed": "login.allowed",
    "login.challenged": "login.mfa_required",
    "login.denied": "login.denied",
    "login.failed": "login.failed",
    "challenge.passed": "mfa.passed",
    "challenge.failed": "mfa.failed",
    "token.reused": "token.refresh_reused",
    "token.denied": "token.denied",
    "session.started": "session.started",
    "session.revoked": "session.revoked",
    "user.added": "account.created",
    "user.imported": "account.created",
    "user.signed_up": "account.created",
    "user.frozen": "account.frozen",
    "user.unfrozen": "account.unfrozen",
    "account.recovered": "account.recovered",
    "user.email_verified": "account.email_verified",
    "factor.enrolled": "credential.added",
    "recovery_codes.made": "credential.added",
    "factor.removed": "credential.removed",
    "passkey.refused": "credential.refused",
    "user.password_changed": "password.changed",
    "password.breached": "password.breached",
    "device.trusted": "device.trusted",
    "device.distrusted": "device.distrusted",
    "sign_in.reported": "sign_in.reported",
    "sign_in.confirmed": "sign_in.confirmed",
    "device.approved": "device.approved",
    "device.denied": "device.denied",
    "code.reused": "token.code_reused",
    "account.refused": "account.refused",
    "consent.given": "consent.given",
    "consent.withdrawn": "consent.withdrawn",
    "client.added": "client.added",
    "client.removed": "client.removed",
    "client.secret_rotated": "client.secret_rotated",
    "key.added": "key.added",
    "key.retired": "key.retired",
    "vault.rotated": "vault.rotated",
    "webhook.added": "webhook.added",
    "webhook.changed": "webhook.changed",
    "webhook.removed": "webhook.removed",
    "webhook.secret_rotated": "webhook.secret_rotated",
    "webhook.disabled": "webhook.disabled",
    "webhook.enabled": "webhook.enabled",
    "stream.added": "stream.added",
    "stream.changed": "stream.changed",
    "stream.removed": "stream.removed",
    "risk.user_raised": "risk.user_raised",
    "risk.user_lowered": "risk.user_lowered",
    "policy.changed": "policy.changed",
}


def type_of(kind: Kind) -> EventType | None:
    """What others know such a line as; None when it is for our own books alone."""
    return _TYPES.get(kind)


def is_told(kind: Kind) -> bool:
    """Whether others are told of such a line."""
    return kind in _TYPES


def told_kinds() -> tuple[Kind, ...]:
    """Every kind of line that others are told of."""
    return tuple(_TYPES)
