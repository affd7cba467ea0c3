"""The OpenID provider's tables. The same rules as in `tables`: rows never leave this folder, times are epoch seconds.

Everything here but consents ends by age, so no foreign key points here and the look-ups join.
"""

from auth_gateway.adapters.storage.rows import column
from auth_gateway.adapters.storage.tables import NO_ROWID, GatewayRow


class BrowserSessionRow(GatewayRow, table=True):
    """Who is signed in at a browser, by the SHA-256 of its cookie."""

    __tablename__ = "browser_sessions"
    __table_args__ = (NO_ROWID,)

    token_digest: bytes = column(primary_key=True)
    browser_id: str = column(index=True)
    session_id: str
    user_id: str
    created_at: float
    expires_at: float


class SessionClientRow(GatewayRow, table=True):
    """An application that got tokens in a session: it is told when the session ends. `ended_at` ends its part alone."""

    __tablename__ = "session_clients"
    __table_args__ = (NO_ROWID,)

    session_id: str = column(primary_key=True)
    client_id: str = column(primary_key=True)
    first_at: float
    ended_at: float | None


class PushedRequestRow(GatewayRow, table=True):
    """A pushed authorization request as JSON, by the SHA-256 of its `request_uri`."""

    __tablename__ = "pushed_requests"
    __table_args__ = (NO_ROWID,)

    request_digest: bytes = column(primary_key=True)
    request: bytes
    expires_at: float
    used_at: float | None


class InteractionRow(GatewayRow, table=True):
    """One way through the sign-in page; `request` is a value of `core.provider.authorization` as JSON."""

    __tablename__ = "interactions"
    __table_args__ = (NO_ROWID,)

    interaction_id: str = column(primary_key=True)
    binding_digest: bytes
    client_id: str
    kind: str
    request: bytes
    card: str
    session_id: str | None
    challenge: bytes | None
    incident_id: str | None
    created_at: float
    expires_at: float
    finished_at: float | None


class AuthorizationCodeRow(GatewayRow, table=True):
    """One authorization code by its SHA-256; spent once."""

    __tablename__ = "authorization_codes"
    __table_args__ = (NO_ROWID,)

    code_digest: bytes = column(primary_key=True)
    client_id: str
    session_id: str
    redirect_uri: str
    scope: str
    code_challenge: str
    nonce: str | None
    claims: str | None
    dpop_jkt: str | None
    created_at: float
    expires_at: float
    used_at: float | None


class DeviceGrantRow(GatewayRow, table=True):
    """A device that waits, by the SHA-256 of its device code."""

    __tablename__ = "device_grants"
    __table_args__ = (NO_ROWID,)

    device_digest: bytes = column(primary_key=True)
    user_code: str = column(unique=True)
    client_id: str
    scope: str
    acr_values: str
    ip: str
    user_agent: str
    state: str
    session_id: str | None
    interval_seconds: int
    polled_at: float | None
    created_at: float
    expires_at: float


class ConsentRow(GatewayRow, table=True):
    """What a person has agreed to give an application."""

    __tablename__ = "consents"
    __table_args__ = (NO_ROWID,)

    user_id: str = column(primary_key=True, foreign_key="users.user_id")
    client_id: str = column(primary_key=True)
    scope: str
    granted_at: float


class SeenOnceRow(GatewayRow, table=True):
    """Identifiers that count once (the `jti` of DPoP proofs and client assertions), by a digest, until they expire."""

    __tablename__ = "seen_once"
    __table_args__ = (NO_ROWID,)

    digest: bytes = column(primary_key=True)
    expires_at: float


class RevokedTokenRow(GatewayRow, table=True):
    """Access tokens without a session that were revoked before their time, by `jti`."""

    __tablename__ = "revoked_tokens"
    __table_args__ = (NO_ROWID,)

    jti: str = column(primary_key=True)
    expires_at: float
