"""Keys that no proof may show: private, foreign, weak, malformed, or the right one in another spelling."""

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import Key, OctKey

from tests.contract.forged_tokens import ABSENT, ATTACKER

_SMALL = rsa.generate_private_key(public_exponent=65_537, key_size=1024).public_key().public_numbers()  # noqa: S505


def bad_keys(key: Key) -> dict[str, Any]:
    """By what is wrong with each."""
    public = {**key.as_dict(private=False)}
    zeros = base64.urlsafe_b64encode(bytes(33)).rstrip(b"=").decode()
    return {
        "absent": ABSENT,
        "null": None,
        "text": json.dumps(public),
        "list": [public],
        "empty": {},
        "private": key.as_dict(private=True),
        "half-private": {**public, "d": "AA"},
        "secret": _secret(),
        "another": ATTACKER["ES256"].as_dict(private=False),
        "p384": ATTACKER["ES384"].as_dict(private=False),
        "rsa": ATTACKER["RS256"].as_dict(private=False),
        "edwards": ATTACKER["Ed25519"].as_dict(private=False),
        "off-the-curve": {**public, "y": public["x"]},
        "zero-point": {**public, "x": zeros[:43], "y": zeros[:43]},
        "longer-coordinate": {**public, "x": zeros[:2] + str(public["x"])},
        "padded": {**public, "x": f"{public['x']}="},
        "number-coordinate": {**public, "x": 1},
        "curve-absent": {"kty": "EC", "x": public["x"], "y": public["y"]},
        "other-curve": {**public, "crv": "secp256k1"},
        "odd-type": {**public, "kty": "ec"},
        "type-list": {**public, "kty": []},
        "for-encryption": {**public, "use": "enc"},
        "for-signing-only": {**public, "key_ops": ["sign"]},
        "operations-text": {**public, "key_ops": "verify"},
        "other-algorithm": {**public, "alg": "ES384"},
        "algorithm-list": {**public, "alg": ["ES256"]},
        "small-rsa": _rsa(_SMALL.n, 65_537),
        "even-exponent": _rsa(_big(), 4),
        "exponent-one": _rsa(_big(), 1),
        "exponent-huge": _rsa(_big(), _big()),
        "modulus-huge": _rsa(2**5000 + 1, 65_537),
        "even-modulus": _rsa(2**2047, 65_537),
    }


def _secret() -> dict[str, Any]:
    return {**OctKey.generate_key(256).as_dict(private=True)}


def _big() -> int:
    return int(ATTACKER["RS256"].public_key.public_numbers().n)


def _rsa(n: int, e: int) -> dict[str, str]:
    return {"kty": "RSA", "n": _number(n), "e": _number(e)}


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
