"""Which lines of the audit trail their owner is shown, and which of them can be called somebody else's."""

import msgspec

from auth_gateway.core.audit import AuditEvent, Kind

SHOWN_SECONDS = 90 * 86_400
MOST_SHOWN = 30
SIGN_INS: frozenset[Kind] = frozenset({"login.allowed", "challenge.passed"})
"""What somebody got in by; only these can be reported."""
SHOWN: frozenset[Kind] = SIGN_INS | {
    "login.denied",
    "login.challenged",
    "challenge.failed",
    "token.reused",
    "session.revoked",
    "consent.given",
    "device.approved",
    "user.added",
    "user.imported",
    "user.frozen",
    "user.unfrozen",
    "user.password_changed",
    "user.email_verified",
    "factor.enrolled",
    "factor.removed",
    "recovery_codes.made",
    "device.trusted",
    "device.distrusted",
    "sign_in.reported",
    "sign_in.confirmed",
    "account.recovered",
    "password.breached",
}
"""What people are told of. Refreshes and what an operator needs alone are not among it."""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. `about` is which factor, or why a session ended; `place` and `user_agent` are those of
    its session, "" where it has none."""

    event_id: str
    kind: Kind
    at: float
    about: str = ""
    place: str = ""
    user_agent: str = ""
    can_report: bool = False


def is_shown(line: AuditEvent) -> bool:
    """Whether its owner is told of it."""
    return line.kind in SHOWN


def about(line: AuditEvent) -> str:
    """The one word of a line that its owner needs: a factor's kind, or the reason why a session ended."""
    if line.kind in {"factor.enrolled", "factor.removed"}:
        return "passkey" if line.detail == "passkey" else "totp"
    return (line.rule or "") if line.kind == "session.revoked" else ""
