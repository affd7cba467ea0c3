"""Client assertions: an application proves itself with a key of its own (`private_key_jwt`).

Authlib's class for this reads the machine's clock, takes the algorithms that its library recommends and lets a token
live for as long as it says, so all that is used of it is the name of the assertion type.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from auth_gateway.adapters.provider.jwks import UnusableKey, key_set
from auth_gateway.adapters.provider.signatures import Envelope, PinnedKey, read_envelope
from auth_gateway.core.provider.client import RegisteredClient
from plumbing.refusals import Refused

ASSERTION_SECONDS = 600
"""How far ahead an assertion may expire: for so long it must be remembered."""
AHEAD_SECONDS = 60
"""How far a client's clock may be ahead of ours."""
# RFC 7523 names none; the first is its revision's own, and absent or JWT is what clients send today. Any other type is
# a token that was made for something else.
_TYPES = (None, "JWT", "client-authentication+jwt")
_MOST_ID = 256


class _AssertionClaims(msgspec.Struct, frozen=True):
    iss: str
    sub: str
    aud: str | list[str]
    exp: int | float
    jti: str
    iat: int | float | None = None
    nbf: int | float | None = None


_decoder = msgspec.json.Decoder(_AssertionClaims)


@dataclass(frozen=True, slots=True)
class ClientAssertion:
    """An assertion that was right: what must not be seen again before `expires_at`."""

    replay_digest: bytes
    expires_at: float


class ClientAssertions:
    """Checks assertions that are meant for one of `audiences`: our issuer and the addresses that clients post to.

    Source: RFC 7523, section 3; OpenID Connect Core 1.0, section 9.
    """

    def __init__(self, audiences: Collection[str]) -> None:
        self._audiences = frozenset(audiences)

    def claimed_client(self, assertion: str) -> str | None:
        """Whose assertion it says it is, so that the registration can be looked up; nobody may believe it yet."""
        envelope = read_envelope(assertion)
        claims = None if envelope is None else envelope.claims(_decoder)
        if claims is None or claims.sub != claims.iss:
            return None
        # It goes into a look-up before anything is proven: nothing that a database stumbles over, nothing long.
        is_a_name = 0 < len(claims.sub) <= _MOST_ID and claims.sub.isascii() and claims.sub.isprintable()
        return claims.sub if is_a_name else None

    def check(self, assertion: str, *, client: RegisteredClient, now: float) -> ClientAssertion:
        """The assertion as one that counts once.

        An audience that is not ours beside one that is refuses it: another server could otherwise have it sent to
        itself, and then to us.

        Raises: Refused `invalid_client` (401), in the same words whatever was wrong.
        """
        envelope = read_envelope(assertion)
        if envelope is None or not _is_signed_by(envelope, client):
            raise _invalid()
        claims = envelope.claims(_decoder)
        if claims is None or not self._is_for_us(claims) or not _is_of(claims, client) or not _is_in_time(claims, now):
            raise _invalid()
        digest = hashlib.sha256(
            f"assertion\n{client.client_id}\n{claims.jti}".encode("utf-8", "surrogatepass")
        ).digest()
        return ClientAssertion(replay_digest=digest, expires_at=float(claims.exp))

    def _is_for_us(self, claims: _AssertionClaims) -> bool:
        named = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        return bool(named) and self._audiences.issuperset(named)


def _is_signed_by(envelope: Envelope, client: RegisteredClient) -> bool:
    if envelope.header.get("typ") not in _TYPES or "jwk" in envelope.header:
        return False
    pinned = _key_of(envelope, client)
    return pinned is not None and envelope.is_signed_with(pinned)


def _key_of(envelope: Envelope, client: RegisteredClient) -> PinnedKey | None:
    """The registered key that the header names; without a name only one key may fit (OpenID Connect Core, 10.1)."""
    try:
        keys = key_set(client.jwks) if client.jwks is not None else ()
    except UnusableKey:
        return None  # the commands take in no such set, so the row was written by something else
    if envelope.kid is not None:
        return next((key for key in keys if key.kid == envelope.kid), None)
    fitting = [key for key in keys if envelope.algorithm in key.algorithms]
    return fitting[0] if len(fitting) == 1 else None


def _is_of(claims: _AssertionClaims, client: RegisteredClient) -> bool:
    return claims.iss == claims.sub == client.client_id and 0 < len(claims.jti) <= _MOST_ID


def _is_in_time(claims: _AssertionClaims, now: float) -> bool:
    latest = now + AHEAD_SECONDS
    is_begun = (claims.iat is None or claims.iat <= latest) and (claims.nbf is None or claims.nbf <= latest)
    return is_begun and now < claims.exp <= now + ASSERTION_SECONDS


def _invalid() -> Refused:
    """Source: RFC 6749, section 5.2."""
    return Refused("invalid_client", "The client could not be authenticated.", status=401)
