"""The closed vocabulary of what is written down about logins, and the one shape of such a line."""

from typing import Literal

import msgspec

from auth_gateway.core.facts import Facts

Kind = Literal[
    "login.allowed",
    "login.challenged",
    "login.denied",
    "login.failed",
    "challenge.passed",
    "challenge.failed",
    "challenge.approved",
    "token.refreshed",
    "token.retried",
    "token.reused",
    "token.refused",
    "token.denied",
    "session.revoked",
    "session.started",
    "session.risk_signalled",
    "session.step_up_required",
    "session.reset",
    "token.issued",
    "token.revoked",
    "code.reused",
    "consent.given",
    "consent.refused",
    "device.approved",
    "device.denied",
    "user.added",
    "user.imported",
    "user.frozen",
    "user.unfrozen",
    "user.erased",
    "factor.enrolled",
    "factor.removed",
    "passkey.refused",
    "recovery_codes.made",
    "device.trusted",
    "device.distrusted",
    "mail.sent",
    "sign_in.reported",
    "sign_in.confirmed",
    "account.recovered",
    "user.signed_up",
    "password.breached",
    "account.refused",
    "passkey.renamed",
    "consent.withdrawn",
    "client.added",
    "client.removed",
    "client.secret_rotated",
    "user.password_changed",
    "key.added",
    "key.retired",
    "vault.rotated",
    "webhook.added",
    "webhook.changed",
    "webhook.removed",
    "webhook.secret_rotated",
    "webhook.disabled",
    "webhook.enabled",
    "webhook.tested",
    "webhook.retried",
    "webhook.replayed",
    "webhook.replay_stopped",
    "stream.added",
    "stream.changed",
    "stream.removed",
    "transmitter.added",
    "transmitter.changed",
    "transmitter.removed",
    "signal.received",
    "risk.user_raised",
    "risk.user_lowered",
    "policy.changed",
    "policy.refused",
]


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit trail. Never a password, token, code or secret; never the name of an unknown user
    (people type passwords there)."""

    event_id: str
    ts: float
    kind: Kind
    user_id: str | None = None
    client_id: str | None = None
    session_id: str | None = None
    ip: str | None = None
    decision: str | None = None
    rule: str | None = None
    score: float | None = None
    level: str | None = None
    model_version: str | None = None
    incident_id: str | None = None
    detail: str | None = None
    facts: Facts | None = None
