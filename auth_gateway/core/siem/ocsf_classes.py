"""Which class and activity of OCSF each type of event is. How its fields are filled is in `ocsf` and `ocsf_objects`.

Source: the schema of OCSF 1.5.0; what it names later versions name alike.
"""

from typing import Final, Literal

import msgspec

from auth_gateway.core.siem.meaning import Outcome, Response, Severity
from auth_gateway.core.vocabulary import EventType

SCHEMA_VERSION: Final = "1.5.0"
PROFILES: Final = ("host", "security_control")
"""`host` adds the device and the actor, `security_control` what was decided, the risk and the techniques."""

ClassName = Literal["Authentication", "Account Change", "Entity Management", "Detection Finding"]


class Caption(msgspec.Struct, frozen=True):
    """A number of the schema and what it stands for."""

    id: int
    text: str


class EventClass(msgspec.Struct, frozen=True):
    """A class of the schema, and the category that it is in."""

    uid: int
    name: ClassName
    category: Caption


IAM: Final = Caption(3, "Identity & Access Management")
FINDINGS: Final = Caption(2, "Findings")
AUTHENTICATION: Final = EventClass(3002, "Authentication", IAM)
ACCOUNT_CHANGE: Final = EventClass(3001, "Account Change", IAM)
ENTITY_MANAGEMENT: Final = EventClass(3004, "Entity Management", IAM)
DETECTION_FINDING: Final = EventClass(2004, "Detection Finding", FINDINGS)


class Row(msgspec.Struct, frozen=True):
    """Class and activity of a type; the activity 99 is one of ours, and its text says which."""

    event_class: EventClass
    activity: Caption


def _rows(event_class: EventClass, activities: dict[EventType, tuple[int, str]]) -> dict[EventType, Row]:
    return {name: Row(event_class, Caption(*activity)) for name, activity in activities.items()}


ROWS: Final[dict[EventType, Row]] = {
    **_rows(
        AUTHENTICATION,
        {
            "login.allowed": (1, "Logon"),
            "login.mfa_required": (6, "Preauth"),
            "login.denied": (1, "Logon"),
            "login.failed": (1, "Logon"),
            "mfa.passed": (1, "Logon"),
            "mfa.failed": (1, "Logon"),
            "token.denied": (5, "Service Ticket Renew"),
            "account.refused": (1, "Logon"),
            "device.approved": (4, "Service Ticket Request"),
            "device.denied": (4, "Service Ticket Request"),
            "session.started": (4, "Service Ticket Request"),
            "session.revoked": (2, "Logoff"),
            "session.step_up_required": (6, "Preauth"),
            "session.reset": (2, "Logoff"),
        },
    ),
    **_rows(
        ACCOUNT_CHANGE,
        {
            "account.created": (1, "Create"),
            "account.frozen": (9, "Lock"),
            "account.unfrozen": (12, "Unlock"),
            "account.erased": (6, "Delete"),
            "account.recovered": (4, "Password Reset"),
            "credential.added": (10, "MFA Factor Enable"),
            "credential.removed": (11, "MFA Factor Disable"),
            "password.changed": (3, "Password Change"),
            "device.trusted": (99, "Device Trusted"),
            "device.distrusted": (99, "Device Distrusted"),
            "consent.given": (99, "Consent Given"),
            "consent.withdrawn": (99, "Consent Withdrawn"),
        },
    ),
    **_rows(
        DETECTION_FINDING,
        {
            "login.high_risk": (1, "Create"),
            "token.refresh_reused": (1, "Create"),
            "token.code_reused": (1, "Create"),
            "credential.refused": (1, "Create"),
            "password.breached": (1, "Create"),
            "device.new": (1, "Create"),
            "session.risk_signalled": (1, "Create"),
            "sign_in.reported": (1, "Create"),
            "sign_in.confirmed": (3, "Close"),
            "risk.user_raised": (1, "Create"),
            "signal.received": (1, "Create"),
            "risk.user_lowered": (2, "Update"),
        },
    ),
    **_rows(
        ENTITY_MANAGEMENT,
        {
            "client.added": (1, "Create"),
            "client.removed": (4, "Delete"),
            "client.secret_rotated": (3, "Update"),
            "key.added": (1, "Create"),
            "key.retired": (9, "Disable"),
            "vault.rotated": (3, "Update"),
            "webhook.added": (1, "Create"),
            "webhook.changed": (3, "Update"),
            "webhook.removed": (4, "Delete"),
            "webhook.secret_rotated": (3, "Update"),
            "webhook.disabled": (9, "Disable"),
            "webhook.enabled": (8, "Enable"),
            "webhook.tested": (99, "Test"),
            "webhook.retried": (3, "Update"),
            "webhook.replayed": (3, "Update"),
            "webhook.replay_stopped": (3, "Update"),
            "stream.added": (1, "Create"),
            "stream.changed": (3, "Update"),
            "stream.removed": (4, "Delete"),
            "transmitter.added": (1, "Create"),
            "transmitter.changed": (3, "Update"),
            "transmitter.removed": (4, "Delete"),
            "policy.changed": (3, "Update"),
            "policy.refused": (3, "Update"),
            "webhook.test": (99, "Test"),
        },
    ),
}
SEVERITIES: Final[dict[Severity, str]] = {1: "Informational", 2: "Low", 3: "Medium", 4: "High"}
STATUSES: Final[dict[Outcome, Caption]] = {
    "success": Caption(1, "Success"),
    "failure": Caption(2, "Failure"),
    "unknown": Caption(99, "Pending"),
}
NEW: Final = Caption(1, "New")
RESOLVED: Final = Caption(4, "Resolved")
"""Of a finding."""
ACTIONS: Final[dict[Response, Caption]] = {
    "allowed": Caption(1, "Allowed"),
    "denied": Caption(2, "Denied"),
    "unauthorized": Caption(2, "Denied"),
    "challenged": Caption(3, "Observed"),
    "revoked": Caption(2, "Denied"),
}
DISPOSITIONS: Final[dict[Response, Caption]] = {
    "allowed": Caption(1, "Allowed"),
    "denied": Caption(2, "Blocked"),
    "unauthorized": Caption(26, "Unauthorized"),
    "challenged": Caption(23, "Challenge"),
    "revoked": Caption(24, "Access Revoked"),
}
RISK_LEVELS: Final = {"low": Caption(1, "Low"), "medium": Caption(2, "Medium"), "high": Caption(3, "High")}
