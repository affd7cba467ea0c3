"""What a token says of its key, before anything of it is believed."""

import base64
import json
from typing import Any

import pytest

from risk_scorer.adapters.issuer_keys import kid_of

GOOD: dict[str, Any] = {"alg": "ES256", "typ": "JWT", "kid": "k1"}
WRONG: list[dict[str, Any]] = [
    {"typ": []}, {"typ": {}}, {"typ": None}, {"typ": "at+jwt"}, {"alg": ["ES256"]}, {"alg": "none"}, {"kid": 7},
    {"kid": None}, {"crit": []},
]  # fmt: skip


def token(header: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode() + ".e30.AA"


def test_the_keys_name_is_told() -> None:
    """Of a token of an expected type."""
    assert kid_of(token(GOOD), frozenset({"JWT"})) == "k1"


@pytest.mark.parametrize("changes", WRONG, ids=str)
def test_a_header_of_other_shapes_is_no_token(changes: dict[str, Any]) -> None:
    """Lists and objects where a text belongs are refused like everything else, and crash nothing."""
    assert kid_of(token({**GOOD, **changes}), frozenset({"JWT"})) is None


@pytest.mark.parametrize("text", ["", "a.b.c", "..", token([]), token(7), token(GOOD)[1:]])
def test_what_has_no_header_is_no_token(text: str) -> None:
    """It is not read any further."""
    assert kid_of(text, frozenset({"JWT"})) is None
