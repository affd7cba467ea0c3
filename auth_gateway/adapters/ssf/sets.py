"""Signs Security Event Tokens with the gateway's own keys; never with a shared secret: every receiver that could check
them could make them too.

Source: RFC 8417, section 2.3 (explicit typing); OpenID Shared Signals Framework 1.0, section 4.1.1.
"""

from base64 import urlsafe_b64decode

import msgspec

from auth_gateway.adapters.jwt import signed
from auth_gateway.adapters.keyring import SigningKey
from auth_gateway.adapters.keys import KeyRing
from auth_gateway.core.provider.client import SigningAlgorithm
from auth_gateway.core.ssf.security_event import SetClaims

SET_TYPE = "secevent+jwt"


class _Header(msgspec.Struct, frozen=True):
    alg: SigningAlgorithm
    kid: str


class SignedSets:
    """The ring's keys for tokens that wait. A token is signed once and waits for days; a key that is replaced meanwhile
    leaves the published set long before, so what it signed is signed anew when it goes out, under the same `jti`."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    def signed(self, claims: SetClaims, algorithm: SigningAlgorithm) -> bytes:
        """The token in its compact form, by the key that this process knows: whoever tells is within a look at the
        database and cannot look again, and what that key signed is looked at once more when it goes out.

        Raises: LookupError without a key, which is a bug.
        """
        return _compact(msgspec.json.encode(claims), self._ring.known(algorithm))

    def fresh(self, token: bytes) -> bytes:
        """The token, verifiable with what is published now."""
        head, payload, _ = token.split(b".")
        header = msgspec.json.decode(_decoded(head), type=_Header)
        key = self._ring.find(header.kid)
        if key is not None and self._ring.is_published(key):
            return token
        return _compact(_decoded(payload), self._ring.current(header.alg))


def _compact(payload: bytes, key: SigningKey) -> bytes:
    return signed(payload, key, SET_TYPE).encode("ascii")


def _decoded(part: bytes) -> bytes:
    return urlsafe_b64decode(part + b"=" * (-len(part) % 4))
