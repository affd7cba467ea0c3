"""A session and the refresh tokens that keep it alive, as values."""

import msgspec


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What follows one finished login. It ends at `expires_at` at the latest, refreshed or not."""

    session_id: str
    user_id: str
    client_id: str
    amr: str
    acr: str
    auth_time: int
    ip: str
    user_agent: str
    device_digest: bytes | None
    risk_score: float | None
    created_at: float
    expires_at: float
    revoked_at: float | None = None
    revoked_reason: str | None = None


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    """One link of a refresh family; the token itself is never kept, only its SHA-256."""

    token_digest: bytes
    family_id: str
    session_id: str
    issued_at: float
    expires_at: float
    successor_digest: bytes | None = None
    used_at: float | None = None
    revoked_at: float | None = None
