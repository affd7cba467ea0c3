"""Reads tokens that should be ours: access tokens and ID tokens. Whether a session still runs is not asked here."""

from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc.jwk import OctKey

from auth_gateway.adapters.jwt import ID_TOKEN_TYPE, TOKEN_TYPE
from auth_gateway.adapters.keyring import SigningKey
from auth_gateway.adapters.keys import KeyRing
from auth_gateway.adapters.provider.jwks import public_key
from auth_gateway.adapters.provider.signatures import Envelope, PinnedKey, read_envelope
from auth_gateway.core.provider.tokens import Confirmation, VerifiedToken

# Between the clocks of our own processes.
_CLOCK_SECONDS = 60
# What our headers say beside `alg`; one with more was made by somebody else.
_OUR_HEADER = frozenset({"alg", "typ", "kid"})


class _AccessToken(msgspec.Struct, frozen=True):
    """The claims of an access token as they come back; a person's has all of the optional ones but `cnf`."""

    iss: str
    sub: str
    aud: str
    exp: int
    iat: int
    jti: str
    client_id: str
    scope: str
    sid: str = ""
    auth_time: int | None = None
    acr: str = ""
    amr: tuple[str, ...] = ()
    cnf: Confirmation | None = None

    def is_of_our_making(self) -> bool:
        """Whether a person's token has all that theirs have, and an application's none of it."""
        if not (self.sub and self.aud and self.jti and self.client_id):
            return False
        of_a_person = (self.sid != "", self.auth_time is not None, self.acr != "", self.amr != ())
        return all(of_a_person) or not any(of_a_person)


_access_tokens = msgspec.json.Decoder(_AccessToken)
_id_tokens = msgspec.json.Decoder(dict[str, Any])


class OwnTokens:
    """Verifies with the ring's keys, and with the shared secret where access tokens are signed with one.

    The algorithm is the key's, never the header's: a public key is no HMAC secret here, and an RSA key signs no access
    token. Fails closed: a key that this process has not loaded yet verifies nothing, for at most one reload.
    """

    def __init__(self, ring: KeyRing, *, issuer: str, secret: bytes | None) -> None:
        self._ring = ring
        self._issuer = issuer
        self._secret = None if secret is None else PinnedKey(OctKey.import_key(secret), ("HS256",))
        self._pinned: dict[str, PinnedKey] = {}

    def access(self, token: str, now: float) -> VerifiedToken | None:
        """The access token, or None for anything that is not one of ours in force. Never raises."""
        envelope = _ours(token, TOKEN_TYPE)
        pinned = None if envelope is None else self._access_key(envelope)
        if envelope is None or pinned is None or not envelope.is_signed_with(pinned):
            return None
        claims = envelope.claims(_access_tokens)
        if claims is None or claims.iss != self._issuer or not claims.is_of_our_making():
            return None
        if now >= claims.exp or claims.iat > now + _CLOCK_SECONDS:
            return None
        return _verified(claims)

    def id_token_hint(self, token: str) -> Mapping[str, Any] | None:
        """The claims of an ID token of ours, expired or not, as long as we keep its key; None otherwise."""
        envelope = _ours(token, ID_TOKEN_TYPE)
        key = None if envelope is None else self._ring.find(envelope.kid or "")
        if envelope is None or key is None or not envelope.is_signed_with(self._pin(key)):
            return None
        claims = envelope.claims(_id_tokens)
        if claims is None or claims.get("iss") != self._issuer:
            return None
        is_whole = all(isinstance(claims.get(name), str) and claims[name] for name in ("sub", "aud", "sid"))
        return claims if is_whole else None

    def _access_key(self, envelope: Envelope) -> PinnedKey | None:
        if envelope.kid is None:
            return self._secret
        key = self._ring.find(envelope.kid)
        is_for_access = key is not None and key.algorithm == "ES256" and self._ring.is_published(key)
        return self._pin(key) if key is not None and is_for_access else None

    def _pin(self, key: SigningKey) -> PinnedKey:
        """The ring's key made ready for verifying, once."""
        pinned = self._pinned.get(key.kid)
        if pinned is None:
            pinned = self._pinned[key.kid] = public_key(key.public_jwk)
        return pinned


def _ours(token: str, token_type: str) -> Envelope | None:
    envelope = read_envelope(token)
    if envelope is None or envelope.header.get("typ") != token_type or not envelope.header.keys() <= _OUR_HEADER:
        return None
    return envelope


def _verified(claims: _AccessToken) -> VerifiedToken:
    return VerifiedToken(
        sub=claims.sub,
        client_id=claims.client_id,
        aud=claims.aud,
        scope=claims.scope,
        jti=claims.jti,
        iat=claims.iat,
        exp=claims.exp,
        sid=claims.sid,
        auth_time=claims.auth_time,
        acr=claims.acr,
        amr=claims.amr,
        jkt=None if claims.cnf is None else claims.cnf.jkt,
    )
