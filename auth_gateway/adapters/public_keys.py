"""A public key as others read it: its JWK and its thumbprint. Private keys and key sets live elsewhere."""

import base64
import hashlib
from collections.abc import Mapping

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

PublicKey = EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey

# RFC 7518, section 6.2.1.2: each coordinate of P-256 is 32 octets.
_COORDINATE_BYTES = 32


def required_members(public: PublicKey) -> dict[str, str]:
    """The members that make the key, each in its one canonical form.

    Source: RFC 7518, sections 6.2.1 and 6.3.1; RFC 8037, section 2.
    """
    if isinstance(public, EllipticCurvePublicKey):
        point = public.public_numbers()
        return {"crv": "P-256", "kty": "EC", "x": _coordinate(point.x), "y": _coordinate(point.y)}
    if isinstance(public, RSAPublicKey):
        numbers = public.public_numbers()
        return {"e": _shortest(numbers.e), "kty": "RSA", "n": _shortest(numbers.n)}
    return {"crv": "Ed25519", "kty": "OKP", "x": base64url(public.public_bytes_raw())}


def thumbprint(required: Mapping[str, str]) -> str:
    """The key's name that follows from the key alone.

    Source: RFC 7638, section 3 (the required members in lexical order, no space, SHA-256).
    """
    return base64url(hashlib.sha256(msgspec.json.encode(required, order="sorted")).digest())


def public_jwk(public: PublicKey, algorithm: str) -> dict[str, str]:
    """A signing key's public half, whose kid is its own thumbprint, so a kid can never name two keys."""
    required = required_members(public)
    return {**required, "kid": thumbprint(required), "use": "sig", "alg": algorithm}


def base64url(raw: bytes) -> str:
    """Without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _coordinate(value: int) -> str:
    return base64url(value.to_bytes(_COORDINATE_BYTES, "big"))


def _shortest(value: int) -> str:
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))
