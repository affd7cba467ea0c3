"""Signs our tokens with PyJWT's algorithms; what they say is `core.claims` and `core.provider.tokens`, which key signs
is `keys`. The header is written once a key, and nothing is checked that we made ourselves: half of a token's time.

Source: RFC 7515, section 7.1 (compact serialization).
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

import msgspec
from jwt import get_algorithm_by_name

from auth_gateway.adapters.keyring import SigningKey
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
_SIGNING = {name: get_algorithm_by_name(name) for name in (*ALGORITHMS, "HS256")}


class AccessCodec(Protocol):
    """Signs access tokens, people's and applications'."""

    def encode(self, claims: AccessClaims | ClientClaims) -> str: ...


class Es256Codec:
    """Signs with the key ring's current key."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def encode(self, claims: AccessClaims | ClientClaims) -> str:
        """The signed access token."""
        return signed(msgspec.json.encode(claims), self._ring.current(), TOKEN_TYPE)


class Hs256Codec:
    """Signs with a secret shared with the resource servers, for those who cannot verify ES256 yet."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def encode(self, claims: AccessClaims | ClientClaims) -> str:
        """The signed access token."""
        return _compact(_header("HS256", TOKEN_TYPE, None), msgspec.json.encode(claims), "HS256", self._secret)


class ProviderTokens:
    """Signs what the provider issues beside people's access tokens.

    An application's access token is signed as people's are. ID and logout tokens never by a shared secret: every
    application that could check them could make them too.
    """

    def __init__(self, ring: KeyRing, access: AccessCodec) -> None:
        self._ring = ring
        self._access = access

    def encode_client(self, claims: ClientClaims) -> str:
        """An application's own access token."""
        return self._access.encode(claims)

    def encode_id(self, claims: Mapping[str, Any], algorithm: str) -> str:
        """The signed ID token.

        Raises: KeyError for an algorithm that no registration can name.
        """
        return signed(msgspec.json.encode(claims), self._ring.current(_BY_NAME[algorithm]), ID_TOKEN_TYPE)

    def encode_logout(self, claims: LogoutClaims, algorithm: str) -> str:
        """The signed logout token.

        Raises: KeyError for an algorithm that no registration can name.
        """
        return signed(msgspec.json.encode(claims), self._ring.current(_BY_NAME[algorithm]), LOGOUT_TOKEN_TYPE)


def signed(payload: bytes, key: SigningKey, token_type: str) -> str:
    """The payload as a token of that type."""
    return _compact(_header(key.algorithm, token_type, key.kid), payload, key.algorithm, key.private)


@lru_cache(maxsize=64)
def _header(algorithm: str, token_type: str, kid: str | None) -> bytes:
    """The encoded header with the point that follows it."""
    header = {"alg": algorithm, "typ": token_type, **({} if kid is None else {"kid": kid})}
    return _encoded(msgspec.json.encode(header)) + b"."


def _compact(header: bytes, payload: bytes, algorithm: str, key: Any) -> str:
    signing_input = header + _encoded(payload)
    return (signing_input + b"." + _encoded(_SIGNING[algorithm].sign(signing_input, key))).decode("ascii")


def _encoded(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")
