"""Signs our tokens with PyJWT; what they say is `core.claims` and `core.provider.tokens`, which key signs is `keys`."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from jwt import PyJWS

from auth_gateway.adapters.keys import ALGORITHMS, KeyRing
from auth_gateway.core.claims import AccessClaims
from auth_gateway.core.provider.client import SigningAlgorithm
from auth_gateway.core.provider.tokens import ClientClaims, LogoutClaims

# RFC 9068, section 2.1: the type keeps an access token from being taken for any other JWT of ours.
TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type
# OpenID Connect Core names no type of its own for ID tokens; RFC 7519, section 5.1, recommends this one.
ID_TOKEN_TYPE = "JWT"  # noqa: S105 - a media type
# OpenID Connect Back-Channel Logout 1.0, section 2.4.
LOGOUT_TOKEN_TYPE = "logout+jwt"  # noqa: S105 - a media type

_BY_NAME: Mapping[str, SigningAlgorithm] = {name: name for name in ALGORITHMS}


class AccessCodec(Protocol):
    """Signs access tokens, people's and applications'."""

    def encode(self, claims: AccessClaims | ClientClaims) -> str: ...


class Es256Codec:
    """Signs with the key ring's current key."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._jws = PyJWS(algorithms=["ES256"])

    def encode(self, claims: AccessClaims | ClientClaims) -> str:
        """The signed access token."""
        key = self._ring.current()
        headers = {"typ": TOKEN_TYPE, "kid": key.kid}
        return self._jws.encode(msgspec.json.encode(claims), key.private, algorithm="ES256", headers=headers)


class Hs256Codec:
    """Signs with a secret shared with the resource servers, for those who cannot verify ES256 yet."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._jws = PyJWS(algorithms=["HS256"])

    def encode(self, claims: AccessClaims | ClientClaims) -> str:
        """The signed access token."""
        headers = {"typ": TOKEN_TYPE}
        return self._jws.encode(msgspec.json.encode(claims), self._secret, algorithm="HS256", headers=headers)


class ProviderTokens:
    """Signs what the provider issues beside people's access tokens.

    An application's access token is signed as people's are. ID and logout tokens never by a shared secret: every
    application that could check them could make them too.
    """

    def __init__(self, ring: KeyRing, access: AccessCodec) -> None:
        self._ring = ring
        self._access = access
        self._jws = PyJWS(algorithms=list(ALGORITHMS))

    def encode_client(self, claims: ClientClaims) -> str:
        """An application's own access token."""
        return self._access.encode(claims)

    def encode_id(self, claims: Mapping[str, Any], algorithm: str) -> str:
        """The signed ID token.

        Raises: KeyError for an algorithm that no registration can name.
        """
        return self._signed(msgspec.json.encode(claims), ID_TOKEN_TYPE, algorithm)

    def encode_logout(self, claims: LogoutClaims, algorithm: str) -> str:
        """The signed logout token.

        Raises: KeyError for an algorithm that no registration can name.
        """
        return self._signed(msgspec.json.encode(claims), LOGOUT_TOKEN_TYPE, algorithm)

    def _signed(self, payload: bytes, token_type: str, algorithm: str) -> str:
        key = self._ring.current(_BY_NAME[algorithm])
        headers = {"typ": token_type, "kid": key.kid}
        return self._jws.encode(payload, key.private, algorithm=key.algorithm, headers=headers)
