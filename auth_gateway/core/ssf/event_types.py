"""The names of event types that others know our events by, and those of a stream's own events.

Source: OpenID CAEP 1.0, section 3; OpenID RISC 1.0, section 2; OpenID Shared Signals Framework 1.0, section 8.1.
"""

from typing import Final

_CAEP: Final = "https://schemas.openid.net/secevent/caep/event-type/"
_RISC: Final = "https://schemas.openid.net/secevent/risc/event-type/"
_SSF: Final = "https://schemas.openid.net/secevent/ssf/event-type/"

SESSION_REVOKED: Final = f"{_CAEP}session-revoked"
CREDENTIAL_CHANGE: Final = f"{_CAEP}credential-change"
ASSURANCE_LEVEL_CHANGE: Final = f"{_CAEP}assurance-level-change"
RISK_LEVEL_CHANGE: Final = f"{_CAEP}risk-level-change"
ACCOUNT_DISABLED: Final = f"{_RISC}account-disabled"
ACCOUNT_ENABLED: Final = f"{_RISC}account-enabled"
ACCOUNT_PURGED: Final = f"{_RISC}account-purged"
CREDENTIAL_COMPROMISE: Final = f"{_RISC}credential-compromise"
VERIFICATION: Final = f"{_SSF}verification"

# What we are told and do not tell.
TOKEN_CLAIMS_CHANGE: Final = f"{_CAEP}token-claims-change"
DEVICE_COMPLIANCE_CHANGE: Final = f"{_CAEP}device-compliance-change"
SESSION_ESTABLISHED: Final = f"{_CAEP}session-established"
SESSION_PRESENTED: Final = f"{_CAEP}session-presented"
CREDENTIAL_CHANGE_REQUIRED: Final = f"{_RISC}account-credential-change-required"
IDENTIFIER_CHANGED: Final = f"{_RISC}identifier-changed"
IDENTIFIER_RECYCLED: Final = f"{_RISC}identifier-recycled"
OPT_IN: Final = f"{_RISC}opt-in"
OPT_OUT_INITIATED: Final = f"{_RISC}opt-out-initiated"
OPT_OUT_CANCELLED: Final = f"{_RISC}opt-out-cancelled"
OPT_OUT_EFFECTIVE: Final = f"{_RISC}opt-out-effective"
RECOVERY_ACTIVATED: Final = f"{_RISC}recovery-activated"
RECOVERY_INFORMATION_CHANGED: Final = f"{_RISC}recovery-information-changed"
SESSIONS_REVOKED: Final = f"{_RISC}sessions-revoked"
STREAM_UPDATED: Final = f"{_SSF}stream-updated"

EVENTS_SUPPORTED: Final = (
    SESSION_REVOKED,
    CREDENTIAL_CHANGE,
    ASSURANCE_LEVEL_CHANGE,
    RISK_LEVEL_CHANGE,
    ACCOUNT_DISABLED,
    ACCOUNT_ENABLED,
    ACCOUNT_PURGED,
    CREDENTIAL_COMPROMISE,
)
"""What a stream may ask for. Verification is sent whenever it is asked for, so nobody subscribes to it."""
