"""The tables, and nothing but the tables. Rows never leave this folder; values of `core` do.

Times are epoch seconds UTC. The schema that a database really gets is made by `migrations`; a test holds the two
against each other. No foreign key points at a table whose rows are cleared away by age: there the look-up joins.
"""

from sqlalchemy import BigInteger, Index, Integer, Table, TextClause, false, text

from auth_gateway.adapters.storage.rows import Row, column
from webhooks.outbox import outbox_table

NO_ROWID = {"sqlite_with_rowid": False}  # the key is the row's place: one tree to write instead of two
# Seconds since the epoch, and lines without end: more than the four bytes of an integer on PostgreSQL.
LONG = Integer().with_variant(BigInteger(), "postgresql")
# What rows of the first schema are taken for.
NOT_VOUCHED = false()
NONE_YET = text("0")
NO_COUNTRY = text("''")
EMPTY = text("''")
EMPTY_OBJECT = text("'{}'")
ANY_FACTOR = text("'any'")
BY_PASSWORD = text("'pwd'")
BY_LOGIN = text("'login'")
USUAL_SCOPE = text("'openid profile email'")

# Where the database's own order of words is none of bytes, prefixes are looked for in these.
_NAME_BYTES = text('username COLLATE "C"')
_MAIL_BYTES = (text('lower(email) COLLATE "C"'), text('user_id COLLATE "C"'))


class GatewayRow(Row):
    """Base of the gateway's tables, with a metadata of their own."""


metadata = GatewayRow.metadata


def _partial_index(name: str, *columns: str | TextClause, where: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


class UserRow(GatewayRow, table=True):
    """One account; `username` is the prepared form, `listed_version` the version of the password that was found on a
    list."""

    __tablename__ = "users"
    __table_args__ = (
        _partial_index("ix_users_email", text("lower(email)"), where="email <> ''"),
        _partial_index("ix_users_frozen", "username", where="is_frozen"),
        _partial_index("ix_users_frozen_bytes", _NAME_BYTES, where="is_frozen").ddl_if(dialect="postgresql"),
        Index("ix_users_name_bytes", _NAME_BYTES).ddl_if(dialect="postgresql"),
        _partial_index("ix_users_mail_bytes", *_MAIL_BYTES, where="email <> ''").ddl_if(dialect="postgresql"),
    )

    user_id: str = column(primary_key=True)
    username: str = column(unique=True)
    display_name: str
    password_hash: str
    password_scheme: str
    password_version: int
    is_frozen: bool
    created_at: float
    email: str = column(server_default=EMPTY)
    email_verified: bool = column(server_default=NOT_VOUCHED)
    frozen_reason: str = column(server_default=EMPTY)
    language: str = column(server_default=EMPTY)
    listed_version: int | None


class ClientRow(GatewayRow, table=True):
    """One registered application; its secret is kept as a digest, empty for one that has none. `registration` is what
    else is known of it, as JSON; the previous secret works until its time, so that a rotation interrupts nobody."""

    __tablename__ = "clients"

    client_id: str = column(primary_key=True)
    secret_digest: bytes
    may_vouch: bool
    may_see_scores: bool
    created_at: float
    registration: str = column(server_default=EMPTY_OBJECT)
    previous_secret_digest: bytes | None
    previous_secret_until: float | None


class SessionRow(GatewayRow, table=True):
    """One session, with how the person was recognised and from where."""

    __tablename__ = "sessions"
    __table_args__ = (_partial_index("ix_sessions_browser_id", "browser_id", where="browser_id IS NOT NULL"), NO_ROWID)

    session_id: str = column(primary_key=True)
    user_id: str = column(foreign_key="users.user_id", index=True)
    client_id: str
    amr: str
    acr: str
    auth_time: int = column(sa_type=LONG)
    ip: str
    user_agent: str
    device_digest: bytes | None
    risk_score: float | None
    created_at: float
    expires_at: float
    revoked_at: float | None
    revoked_reason: str | None
    ja4: str | None
    is_vouched: bool = column(server_default=NOT_VOUCHED)
    country: str = column(server_default=NO_COUNTRY)
    browser_id: str | None
    place: str = column(server_default=EMPTY)
    last_seen_at: float = column(server_default=NONE_YET)
    asked_at: float | None
    answered_at: float | None


class RefreshFamilyRow(GatewayRow, table=True):
    """The refresh tokens of one login at one client; revoking the row revokes them all."""

    __tablename__ = "refresh_families"
    __table_args__ = (NO_ROWID,)

    family_id: str = column(primary_key=True)
    session_id: str = column(index=True)
    client_id: str
    created_at: float
    revoked_at: float | None
    refusals: int = column(server_default=NONE_YET)
    refused_since: float = column(server_default=NONE_YET)
    kind: str = column(server_default=BY_LOGIN)
    scope: str = column(server_default=USUAL_SCOPE)
    audience: str = column(server_default=EMPTY)
    jkt: str | None
    claims: str | None
    first_ip: str | None
    first_user_agent: str | None
    first_device_digest: bytes | None
    first_ja4: str | None


class RefreshTokenRow(GatewayRow, table=True):
    """One refresh token by its SHA-256. No second index: every refresh writes here."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (NO_ROWID,)

    token_digest: bytes = column(primary_key=True)
    family_id: str
    issued_at: float
    expires_at: float
    successor_digest: bytes | None
    used_at: float | None


class PendingLoginRow(GatewayRow, table=True):
    """A login that awaits its second factor, by the SHA-256 of its challenge token."""

    __tablename__ = "pending_logins"
    __table_args__ = (_partial_index("ix_pending_logins_push", "challenge_id", where="push <> ''"), NO_ROWID)

    token_digest: bytes = column(primary_key=True)
    challenge_id: str
    user_id: str = column(foreign_key="users.user_id")
    client_id: str
    password_version: int
    device_digest: bytes | None
    event_id: str
    event: bytes
    risk_score: float | None
    risk_level: str | None
    created_at: float
    expires_at: float
    attempts_left: int
    consumed_at: float | None
    is_vouched: bool = column(server_default=NOT_VOUCHED)
    country: str = column(server_default=NO_COUNTRY)
    recognised_at: int | None = column(sa_type=LONG)
    place: str = column(server_default=EMPTY)
    demand: str = column(server_default=ANY_FACTOR)
    amr: str = column(server_default=BY_PASSWORD)
    is_known_device: bool = column(server_default=NOT_VOUCHED)
    push: str = column(server_default=EMPTY)
    number: str = column(server_default=EMPTY)
    incident_id: str = column(server_default=EMPTY)
    polled_at: float | None


class TotpFactorRow(GatewayRow, table=True):
    """One enrolled authenticator; the secret is sealed under a key that is not in the database."""

    __tablename__ = "totp_factors"

    factor_id: str = column(primary_key=True)
    user_id: str = column(foreign_key="users.user_id", unique=True)
    sealed_secret: bytes
    last_used_step: int
    created_at: float


class KnownDeviceRow(GatewayRow, table=True):
    """A device that its user has finished a login on, by the SHA-256 of its id."""

    __tablename__ = "known_devices"
    __table_args__ = (NO_ROWID,)

    user_id: str = column(primary_key=True, foreign_key="users.user_id")
    device_digest: bytes = column(primary_key=True)
    first_seen_at: float
    last_seen_at: float


class SigningKeyRow(GatewayRow, table=True):
    """One signing key, private half sealed."""

    __tablename__ = "signing_keys"

    kid: str = column(primary_key=True)
    sealed_private: bytes
    public_jwk: str
    created_at: float
    activates_at: float
    retired_at: float | None


class SealingKeyRow(GatewayRow, table=True):
    """A key that seals, on its way to the gateways that share this database, sealed by the one before it; None once it
    has arrived."""

    __tablename__ = "sealing_keys"

    number: int = column(primary_key=True, autoincrement=False)
    sealed: bytes | None
    made_at: float


class AuditRow(GatewayRow, table=True):
    """What happened, in order. Refreshes are by far the most lines, so the indexes leave them out. `facts` is JSON;
    `waits` is set until those who listen have been told of the event."""

    __tablename__ = "audit"
    __table_args__ = (
        _partial_index("ix_audit_incident_id", "incident_id", where="incident_id IS NOT NULL"),
        _partial_index("ix_audit_user_id_ts", "user_id", "ts", where="kind <> 'token.refreshed'"),
        _partial_index("ix_audit_waits", "seq", where="waits IS NOT NULL"),
        _partial_index("ix_audit_ts", "ts", "seq", where="kind <> 'token.refreshed'"),
    )

    seq: int | None = column(primary_key=True, sa_type=LONG)
    event_id: str
    ts: float
    kind: str
    user_id: str | None
    client_id: str | None
    session_id: str | None
    ip: str | None
    decision: str | None
    rule: str | None
    score: float | None
    level: str | None
    model_version: str | None
    incident_id: str | None
    detail: str | None
    facts: bytes | None
    waits: bool | None


def table_of(row: type[Row]) -> Table:
    """The Core table of a row class, for statements."""
    return row.__table__


outbox = outbox_table(metadata)
