"""Tables of what people prove themselves with beside password and authenticator, of links in mails, and of guesses. The
same rules as in `tables`. Secrets that people type or click are kept as digests.
"""

from auth_gateway.adapters.storage.rows import column
from auth_gateway.adapters.storage.tables import LONG, NO_ROWID, GatewayRow


class PasskeyRow(GatewayRow, table=True):
    """One WebAuthn credential."""

    __tablename__ = "passkeys"
    __table_args__ = (NO_ROWID,)

    credential_id: bytes = column(primary_key=True)
    user_id: str = column(foreign_key="users.user_id", index=True)
    public_key: bytes
    sign_count: int = column(sa_type=LONG)
    name: str
    aaguid: str
    transports: str
    is_backup_eligible: bool
    is_backed_up: bool
    created_at: float
    last_used_at: float | None


class RecoveryCodeRow(GatewayRow, table=True):
    """One recovery code of a person, by a keyed digest; spent once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (NO_ROWID,)

    user_id: str = column(primary_key=True, foreign_key="users.user_id")
    code_digest: bytes = column(primary_key=True)
    created_at: float
    used_at: float | None


class MailedCodeRow(GatewayRow, table=True):
    """The code that was mailed for one challenge, by a keyed digest; a later one replaces it."""

    __tablename__ = "mailed_codes"
    __table_args__ = (NO_ROWID,)

    challenge_digest: bytes = column(primary_key=True)
    code_digest: bytes
    sends: int
    sent_at: float
    expires_at: float


class GuessRow(GatewayRow, table=True):
    """When all codes of a kind are forgiven that were looked at for an account, across challenges and addresses."""

    __tablename__ = "guesses"
    __table_args__ = (NO_ROWID,)

    user_id: str = column(primary_key=True)
    kind: str = column(primary_key=True)
    forgiven_at: float


class TrustedDeviceRow(GatewayRow, table=True):
    """A browser that its owner said to trust after a step-up, by the SHA-256 of its cookie."""

    __tablename__ = "trusted_devices"
    __table_args__ = (NO_ROWID,)

    token_digest: bytes = column(primary_key=True)
    device_id: str = column(unique=True)
    user_id: str = column(foreign_key="users.user_id", index=True)
    user_agent: str
    ip: str
    place: str
    created_at: float
    expires_at: float
    revoked_at: float | None


class MailLinkRow(GatewayRow, table=True):
    """A link in a mail, by the SHA-256 of its secret; it counts once. `data` is what its purpose needs, as JSON."""

    __tablename__ = "mail_links"
    __table_args__ = (NO_ROWID,)

    token_digest: bytes = column(primary_key=True)
    purpose: str
    user_id: str = column(index=True)
    data: bytes
    created_at: float
    expires_at: float
    used_at: float | None
