"""The outside of a JWS that a stranger sent: read once, strictly, and believed only under a key that we chose.

joserfc does the reading and the arithmetic. What a header may say, and that a key belongs to the algorithms it is
pinned to, is decided here; which claims are right is for the callers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import CompactSignature, JWSRegistry

Claims = TypeVar("Claims")

STRANGERS_ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA", "Ed25519")
"""What applications may sign with: 128 bits of strength or what RFC 7518 demands, nothing with a shared secret. The
last two are one algorithm by its old and its new name (RFC 9864)."""

# A DPoP header carries a key: a 4096-bit modulus alone takes 683 characters, and again a third on the outside.
_MOST_HEADER = 2048
_MOST_PAYLOAD = 8192
# 4096-bit RSA: 683 characters.
_MOST_SIGNATURE = 700
# RFC 7515, section 7.1: three parts of unpadded base64url, and nothing around them.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+")
# Places to fetch keys from or keys that prove themselves, and extensions that change what is signed. We use none.
_TRAPS = frozenset({"crit", "b64", "jku", "x5u", "x5c", "x5t", "x5t#S256"})
# Whatever a parser meets in bytes that somebody made to break it; deep nesting is the last.
_UNREADABLE = (JoseError, ValueError, TypeError, KeyError, RecursionError)


@dataclass(frozen=True, slots=True)
class PinnedKey:
    """A verification key that serves the named algorithms alone, so no header can turn it into another kind of key.

    A shared secret has no thumbprint.
    """

    key: Key
    algorithms: tuple[str, ...]
    kid: str | None = None
    thumbprint: str = ""


class Decoder(Protocol[Claims]):  # type: ignore[misc] # a decoder only hands claims out
    """Reads a payload; `msgspec.json.Decoder` is one."""

    def decode(self, buf: bytes, /) -> Claims: ...


class Envelope:
    """What a token says of itself. Nothing of it is true before `is_signed_with`."""

    def __init__(self, parts: CompactSignature) -> None:
        self._parts = parts

    @property
    def header(self) -> Mapping[str, Any]:
        """The protected header; there is no other."""
        return self._parts.protected

    @property
    def algorithm(self) -> str:
        """As the header says."""
        algorithm: str = self._parts.protected["alg"]
        return algorithm

    @property
    def kid(self) -> str | None:
        """The key's name as the header says."""
        kid: str | None = self._parts.protected.get("kid")
        return kid

    def claims(self, decoder: Decoder[Claims]) -> Claims | None:
        """The payload, or None when it is not what the decoder takes."""
        try:
            return decoder.decode(self._parts.payload)
        except (msgspec.MsgspecError, *_UNREADABLE):
            return None

    def is_signed_with(self, pinned: PinnedKey) -> bool:
        """Whether this key made the signature, by one of its own algorithms."""
        if self.algorithm not in pinned.algorithms:
            return False
        try:
            return jws.validate_compact(self._parts, pinned.key, registry=_registry(pinned.algorithms))
        except _UNREADABLE:
            return False


def read_envelope(token: str) -> Envelope | None:
    """The token's parts, or None for everything that is not a compact JWS without extensions. Never raises."""
    if not token.isascii() or not _COMPACT.fullmatch(token):
        return None
    try:
        parts = jws.extract_compact(token.encode("ascii"), registry=_OUTSIDE)
        header = parts.protected
        is_plain = isinstance(header, dict) and not _TRAPS & header.keys() and isinstance(header["alg"], str)
        is_named = is_plain and isinstance(header.get("kid", ""), str)
    except _UNREADABLE:
        return None
    return Envelope(parts) if is_named else None


class _Grammar(JWSRegistry):
    """joserfc's rules with our bounds, and with `EdDSA` meaning Ed25519 alone (RFC 9864, section 2.2)."""

    max_header_length = _MOST_HEADER
    max_payload_length = _MOST_PAYLOAD
    max_signature_length = _MOST_SIGNATURE

    def get_alg(self, name: str) -> Any:
        """The algorithm; the library's own look-up would write a warning for each old name."""
        if name == "none" or name not in (self.allowed or ()):
            raise ValueError("no algorithm of this key")
        return self.algorithms["Ed25519" if name == "EdDSA" else name]


@lru_cache(maxsize=16)
def _registry(algorithms: tuple[str, ...]) -> _Grammar:
    return _Grammar(algorithms=algorithms, strict_check_header=False)


_OUTSIDE = _Grammar()
