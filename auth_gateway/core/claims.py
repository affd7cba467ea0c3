"""What an access token says (RFC 9068) and how a person was recognised. Encoding and keys live elsewhere."""

import msgspec
from msgspec import UNSET, UnsetType

SCOPE = "openid profile email"
TOKEN_TYPE = "Bearer"  # noqa: S105 -- RFC 6750's name of the scheme, not a secret
BOUND_TOKEN_TYPE = "DPoP"  # noqa: S105 -- RFC 9449's name of the scheme, not a secret

PASSWORD = "pwd"  # noqa: S105 -- RFC 8176's name of the method, not a secret
ONE_TIME_CODE = "otp"
SEVERAL_FACTORS = "mfa"

SINGLE_FACTOR_LEVEL = "aal1"
TWO_FACTOR_LEVEL = "aal2"
PHISHING_RESISTANT_LEVEL = "phr"
"""OpenID Connect Extended Authentication Profile ACR Values 1.0, section 2."""

# A proxy may keep the answer so long, and then a verifier as long again: ten minutes, of the fifteen that a new key
# waits before it signs (KEY_ACTIVATION_DELAY). The shortest wait that can be set is this and a minute more.
JWKS_MAX_AGE_SECONDS = 300


class Lifetimes(msgspec.Struct, frozen=True, kw_only=True):
    """How long what we issue lives. A refresh token never outlives its session."""

    access_seconds: int = 15 * 60
    refresh_seconds: int = 7 * 86_400
    session_seconds: int = 30 * 86_400


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """Who issues the tokens and whom they are for."""

    issuer: str
    audience: str


class Authentication(msgspec.Struct, frozen=True, kw_only=True):
    """How and when the person was recognised: `amr` per RFC 8176, `acr` per NIST SP 800-63B's levels."""

    amr: tuple[str, ...]
    acr: str
    auth_time: int

    @property
    def amr_text(self) -> str:
        """The methods as one stored text, space-separated."""
        return " ".join(self.amr)


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """The key that a token is bound to (RFC 7800; `jkt` from RFC 9449, section 6)."""

    jkt: str


class AccessClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of one access token, in RFC 9068's names, ready to encode as they stand."""

    iss: str
    sub: str
    aud: str
    exp: int
    iat: int
    jti: str
    client_id: str
    scope: str
    sid: str
    auth_time: int
    acr: str
    amr: tuple[str, ...]
    cnf: Confirmation | UnsetType = UNSET


def by_password(now: float) -> Authentication:
    """Recognised by password alone."""
    return Authentication(amr=(PASSWORD,), acr=SINGLE_FACTOR_LEVEL, auth_time=int(now))


def by_password_and_code(now: float) -> Authentication:
    """Recognised by password and a one-time code."""
    return Authentication(amr=(PASSWORD, ONE_TIME_CODE, SEVERAL_FACTORS), acr=TWO_FACTOR_LEVEL, auth_time=int(now))


def recalled(*, amr_text: str, acr: str, auth_time: int) -> Authentication:
    """The authentication as it was stored with its session: a refresh never makes it younger or stronger."""
    return Authentication(amr=tuple(amr_text.split()), acr=acr, auth_time=auth_time)


def access_claims(
    *,
    audience: Audience,
    user_id: str,
    client_id: str,
    session_id: str,
    authentication: Authentication,
    token_id: str,
    now: float,
    ttl_seconds: int,
    scope: str = SCOPE,
    jkt: str | None = None,
) -> AccessClaims:
    """The claims of an access token issued now, bound to the key of thumbprint `jkt` when there is one.

    Source: RFC 9068 section 2.2 (iss, exp, aud, sub, client_id, iat, jti, auth_time, acr, amr); sid from OpenID
    Connect Front-Channel Logout 1.0 section 3.
    """
    issued_at = int(now)
    return AccessClaims(
        iss=audience.issuer,
        sub=user_id,
        aud=audience.audience,
        exp=issued_at + ttl_seconds,
        iat=issued_at,
        jti=token_id,
        client_id=client_id,
        scope=scope,
        sid=session_id,
        auth_time=authentication.auth_time,
        acr=authentication.acr,
        amr=authentication.amr,
        cnf=confirmation(jkt),
    )


def confirmation(jkt: str | None) -> Confirmation | UnsetType:
    """The claim that binds a token to that key; absent without one."""
    return UNSET if jkt is None else Confirmation(jkt=jkt)


def token_type(jkt: str | None) -> str:
    """How a token is presented: a bound one never as a bearer's (RFC 9449, section 5)."""
    return TOKEN_TYPE if jkt is None else BOUND_TOKEN_TYPE
