"""Which lines of the audit trail their owner is shown."""

import msgspec

from auth_gateway.core.audit import AuditEvent, Kind

SHOWN_SECONDS = 90 * 86_400
MOST_SHOWN = 30
ANSWERS: frozenset[Kind] = frozenset({"sign_in.reported", "sign_in.confirmed"})
"""The owner's word about a sign-in, which is given once."""
SHOWN: frozenset[Kind] = ANSWERS | {
    "login.allowed",
    "challenge.passed",
    "login.denied",
    "login.challenged",
    "challenge.failed",
    "token.reused",
    "session.revoked",
    "consent.given",
    "consent.withdrawn",
    "device.approved",
    "user.added",
    "user.imported",
    "user.frozen",
    "user.unfrozen",
    "user.password_changed",
    "factor.enrolled",
    "factor.removed",
    "recovery_codes.made",
    "device.trusted",
    "device.distrusted",
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
