"""Keys and hand-made tokens for these tests: one pair for each algorithm that applications may sign with."""

import json
from typing import Any

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from tests.contract.forged_tokens import signed

ISSUER = "https://id.example"
NOW = 1_800_000_000.0
KEYS: dict[str, Key] = {
    "ES256": ECKey.generate_key("P-256"),
    "RS256": RSAKey.generate_key(2048),
    "PS256": RSAKey.generate_key(4096),
    "EdDSA": OKPKey.generate_key("Ed25519"),
}


def public(algorithm: str, **more: Any) -> dict[str, Any]:
    return {**KEYS[algorithm].as_dict(private=False), **more}


def token(algorithm: str, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Signed by the algorithm's key."""
    by = "Ed25519" if algorithm == "EdDSA" else algorithm
    head = json.dumps({"alg": algorithm, **header}).encode()
    return signed(head, json.dumps(claims).encode(), KEYS[algorithm], by)
