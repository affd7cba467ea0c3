"""Public keys that strangers bring: in a registration's JWK set, or in the header of a proof. Ours are `keys`."""

import base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from auth_gateway.adapters.provider.signatures import PinnedKey
from auth_gateway.adapters.public_keys import required_members, thumbprint

# RFC 7518, section 3.3, demands 2048 bits; more than 4096 only makes each check slower, at a stranger's will.
_RSA_BITS = range(2048, 4097)
# NIST FIPS 186-5, appendix A.1.1, demands more than 2^16; a huge exponent slows each check down like a huge modulus.
_RSA_EXPONENTS = range(2**16 + 1, 2**32, 2)
MOST_KEYS = 16
"""A rotation needs two or three."""

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_REQUIRED: Mapping[str, tuple[str, ...]] = {"EC": ("crv", "x", "y"), "RSA": ("e", "n"), "OKP": ("crv", "x")}
_CURVES: Mapping[str, str] = {"EC": "P-256", "OKP": "Ed25519"}
_ALGORITHMS: Mapping[str, tuple[str, ...]] = {"EC": ("ES256",), "RSA": ("RS256", "PS256"), "OKP": ("EdDSA", "Ed25519")}
_CLASSES: Mapping[str, type[ECKey] | type[RSAKey] | type[OKPKey]] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}


class UnusableKey(ValueError):
    """A key that we do not verify with; the text says why and shows nothing of the key."""


def public_key(jwk: object) -> PinnedKey:
    """The key of one JWK, pinned to the algorithms it may serve. Its form is the only one that the key has.

    Raises: UnusableKey for private or secret keys, other curves, weak or oversized RSA keys, keys for encryption, and
    members in a second spelling, which would give the same key another thumbprint.
    """
    if not isinstance(jwk, Mapping):
        raise UnusableKey("it is not a JWK")
    if _PRIVATE_MEMBERS & jwk.keys():
        raise UnusableKey("it holds a private or secret key")
    kind = _text(jwk, "kty")
    if kind not in _REQUIRED:
        raise UnusableKey("its key type is not EC, RSA or OKP")
    if kind in _CURVES and _text(jwk, "crv") != _CURVES[kind]:
        raise UnusableKey("its curve is not P-256 or Ed25519")
    required = {"kty": kind, **{name: _text(jwk, name) for name in _REQUIRED[kind]}}
    if kind == "RSA":
        _check_strength(required)
    key = _imported(kind, required)
    _check_canonical(key, required)
    return PinnedKey(
        key=key,
        algorithms=_algorithms(jwk, kind),
        kid=_text(jwk, "kid") if "kid" in jwk else None,
        thumbprint=thumbprint(required),
    )


@lru_cache(maxsize=256)
def key_set(text: str) -> tuple[PinnedKey, ...]:
    """The keys of a registration's JWK set, in its order.

    Raises: UnusableKey when it is none, is empty or too long, names two keys alike, or has a key that is unusable:
    whoever registered it meant that key to work.
    """
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        raise UnusableKey("it is not JSON") from None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_KEYS:
        raise UnusableKey(f"it is not a JWK set of 1 to {MOST_KEYS} keys")
    keys = tuple(public_key(jwk) for jwk in listed)
    named = [key.kid for key in keys if key.kid is not None]
    if len(set(named)) != len(named):
        raise UnusableKey("two of its keys have the same kid")
    return keys


def _imported(kind: str, required: dict[str, Any]) -> Key:
    try:
        # Only the members that make the key reach the library; it would look at a dozen more.
        return _CLASSES[kind].import_key(required)
    except (JoseError, ValueError, TypeError, KeyError, OverflowError):
        raise UnusableKey("its numbers make no key") from None


def _check_canonical(key: Key, required: Mapping[str, str]) -> None:
    public = key.public_key
    if not isinstance(public, EllipticCurvePublicKey | RSAPublicKey | Ed25519PublicKey):
        raise UnusableKey("its numbers make another kind of key")
    if required_members(public) != required:
        raise UnusableKey("its numbers are not in their canonical form")


def _check_strength(required: Mapping[str, str]) -> None:
    """Before anything is computed with the numbers, or warned about them."""
    modulus = _number(required["n"])
    if modulus.bit_length() not in _RSA_BITS or modulus % 2 == 0:
        raise UnusableKey("an RSA key has 2048 to 4096 bits and two odd factors")
    if _number(required["e"]) not in _RSA_EXPONENTS:
        raise UnusableKey("its RSA exponent is out of the usual range")


def _number(text: str) -> int:
    try:
        return int.from_bytes(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except ValueError:
        raise UnusableKey("one of its numbers is no base64url") from None


def _algorithms(jwk: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    """Those that the key type allows, or the one that the key names; RFC 7517, sections 4.2 to 4.4."""
    if jwk.get("use", "sig") != "sig":
        raise UnusableKey("it is not for signatures")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise UnusableKey("it is not for verifying")
    if "alg" not in jwk:
        return _ALGORITHMS[kind]
    if jwk["alg"] not in _ALGORITHMS[kind]:
        raise UnusableKey("its algorithm does not fit its type")
    # Ed25519 has two names, and a client library may register the one and sign with the other.
    return _ALGORITHMS[kind] if kind == "OKP" else (jwk["alg"],)


def _text(jwk: Mapping[str, Any], name: str) -> str:
    value = jwk.get(name)
    if not isinstance(value, str) or not value.isascii() or not 0 < len(value) <= 1024:
        raise UnusableKey(f"its {name} is missing or no usable text")
    return value
