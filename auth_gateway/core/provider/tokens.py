"""What the provider's other tokens say: ID token, logout token, an application's own access token. Encoding and keys
live elsewhere; a person's access token is `core.claims`.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from auth_gateway.core.claims import Authentication
from auth_gateway.core.claims import Confirmation as Confirmation

ID_TOKEN_SECONDS = 300
LOGOUT_TOKEN_SECONDS = 120
"""OpenID Connect Back-Channel Logout 1.0, section 2.4: at most two minutes."""
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class ClientClaims(msgspec.Struct, frozen=True, kw_only=True):
    """An access token that an application got for itself (client credentials): no person, no session."""

    iss: str
    sub: str
    aud: str
    exp: int
    iat: int
    jti: str
    client_id: str
    scope: str
    cnf: Confirmation | UnsetType = UNSET


class LogoutClaims(msgspec.Struct, frozen=True, kw_only=True):
    """A logout token (OpenID Connect Back-Channel Logout 1.0, section 2.4)."""

    iss: str
    sub: str
    aud: str
    iat: int
    exp: int
    jti: str
    sid: str
    events: Mapping[str, Mapping[str, str]]


class VerifiedToken(msgspec.Struct, frozen=True, kw_only=True):
    """An access token of ours whose signature, type, issuer and times were right. `sid` "" is an application's own.

    Whether its session still runs is not said here.
    """

    sub: str
    client_id: str
    aud: str
    scope: str
    jti: str
    iat: int
    exp: int
    sid: str = ""
    auth_time: int | None = None
    acr: str = ""
    amr: tuple[str, ...] = ()
    jkt: str | None = None

    @property
    def is_of_a_person(self) -> bool:
        """Whether it was issued for somebody's session."""
        return self.sid != ""


def id_claims(
    *,
    issuer: str,
    user_id: str,
    client_id: str,
    session_id: str,
    authentication: Authentication,
    now: float,
    nonce: str | None,
    access_token: str | None,
    more: Mapping[str, Any],
) -> dict[str, Any]:
    """The claims of an ID token; `more` are those the scope and the `claims` parameter ask for.

    Source: OpenID Connect Core 1.0, sections 2 and 3.1.3.6 (`at_hash`); `sid` from Front-Channel Logout 1.0.
    """
    issued_at = int(now)
    claims: dict[str, Any] = {
        **more,
        "iss": issuer,
        "sub": user_id,
        "aud": client_id,
        "azp": client_id,
        "exp": issued_at + ID_TOKEN_SECONDS,
        "iat": issued_at,
        "auth_time": authentication.auth_time,
        "acr": authentication.acr,
        "amr": list(authentication.amr),
        "sid": session_id,
    }
    if nonce is not None:
        claims["nonce"] = nonce
    if access_token is not None:
        claims["at_hash"] = half_hash(access_token)
    return claims


def half_hash(text: str) -> str:
    """The left half of the SHA-256, as `at_hash` has it; every algorithm that we sign with uses SHA-256."""
    return urlsafe_b64encode(hashlib.sha256(text.encode("ascii")).digest()[:16]).rstrip(b"=").decode()
