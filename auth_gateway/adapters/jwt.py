"""Signs access tokens with PyJWT; what they say is `core.claims`, which key signs is `keys`."""

import msgspec
from jwt import PyJWS

from auth_gateway.adapters.keys import KeyRing
from auth_gateway.core.claims import AccessClaims

# RFC 9068, section 2.1: the type keeps an access token from being taken for any other JWT of ours.
TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type


class Es256Codec:
    """Signs with the key ring's current key."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._jws = PyJWS(algorithms=["ES256"])

    def encode(self, claims: AccessClaims) -> str:
        """The signed access token."""
        key = self._ring.current()
        headers = {"typ": TOKEN_TYPE, "kid": key.kid}
        return self._jws.encode(msgspec.json.encode(claims), key.private, algorithm="ES256", headers=headers)


class Hs256Codec:
    """Signs with a secret shared with the resource servers, for those who cannot verify ES256 yet."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._jws = PyJWS(algorithms=["HS256"])

    def encode(self, claims: AccessClaims) -> str:
        """The signed access token."""
        headers = {"typ": TOKEN_TYPE}
        return self._jws.encode(msgspec.json.encode(claims), self._secret, algorithm="HS256", headers=headers)
