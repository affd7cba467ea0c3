"""Keys and hand-made tokens for these tests: one pair for each algorithm that applications may sign with."""

import json
from functools import cache
from typing import Any

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from tests.contract.forged_tokens import signed

ISSUER = "https://id.example"
NOW = 1_800_000_000.0
ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")


@cache
def key(algorithm: str) -> Key:
    """The algorithm's pair, made when it is first asked for: RSA's take long."""
    if algorithm in ("RS256", "PS256"):
        return RSAKey.generate_key(2048 if algorithm == "RS256" else 4096)
    return ECKey.generate_key("P-256") if algorithm == "ES256" else OKPKey.generate_key("Ed25519")


def public(algorithm: str, **more: Any) -> dict[str, Any]:
    return {**key(algorithm).as_dict(private=False), **more}


def token(algorithm: str, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Signed by the algorithm's key."""
    by = "Ed25519" if algorithm == "EdDSA" else algorithm
    head = json.dumps({"alg": algorithm, **header}).encode()
    return signed(head, json.dumps(claims).encode(), key(algorithm), by)
