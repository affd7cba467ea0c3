"""Project Wycheproof's JSON Web Signature vectors; collected where they lie beside the checkout."""

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import JWKRegistry

from auth_gateway.adapters.provider.signatures import PinnedKey, read_envelope

VECTORS = Path(__file__).resolve().parents[6] / "shared" / "vectors" / "wycheproof_json_web_signature.json"
# Artefacts of the set, not of a verifier: the key names another algorithm than the header and the case is "valid" (346,
# 347, 350, 351), a case equals a valid one and is "invalid" (367, 370), a question mark inside base64url (372, 373).
ARTEFACTS = {346, 347, 350, 351, 367, 370, 372, 373}
OTHER_NAMES = {"ES521": "ES512"}
BY_TYPE = {"RSA": ("RS256",), "EC": ("ES256",), "oct": ("HS256",)}


def cases() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    groups = json.loads(VECTORS.read_text(encoding="utf-8"))["testGroups"]
    return [
        (group.get("public") or group["private"], case)
        for group in groups
        for case in group["tests"]
        if case["tcId"] not in ARTEFACTS
    ]


CASES = cases()


def is_taken(jwk: dict[str, Any], token: Any) -> bool:
    """Whether the signature is right under the group's key, which must be the one that the header names."""
    envelope = read_envelope(token) if isinstance(token, str) else None
    if envelope is None or envelope.kid != jwk.get("kid") or jwk.get("use", "sig") != "sig":
        return False
    named = OTHER_NAMES.get(jwk.get("alg", ""), jwk.get("alg"))
    numbers = {name: value for name, value in jwk.items() if name not in {"alg", "use", "kid"}}
    pinned = PinnedKey(JWKRegistry.import_key(numbers), (named,) if named else BY_TYPE[jwk["kty"]])
    return envelope.is_signed_with(pinned)


@pytest.mark.parametrize(("jwk", "case"), CASES, ids=[str(case["tcId"]) for _, case in CASES])
def test_a_published_case_ends_as_it_is_published(jwk: dict[str, Any], case: dict[str, Any]) -> None:
    """Valid ones are taken, invalid ones are not, and none raises."""
    assert is_taken(jwk, case["jws"]) is (case["result"] == "valid"), case["comment"]


def test_all_but_the_artefacts_are_run() -> None:
    """The set has 401 cases."""
    assert len(CASES) == 393
