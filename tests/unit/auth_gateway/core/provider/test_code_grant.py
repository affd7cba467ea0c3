"""What an authorization code is worth, and to whom."""

from typing import Any

import msgspec
import pytest

from auth_gateway.core.provider.authorization import AuthorizationCode
from auth_gateway.core.provider.code_grant import CodeShown, code_verdict

NOW = 1_700_000_000.0
# RFC 7636, appendix B.
VERIFIER, CHALLENGE = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CODE = AuthorizationCode(
    code_digest=b"code",
    client_id="shop",
    session_id="s",
    redirect_uri="https://app.example/callback",
    scope="openid",
    code_challenge=CHALLENGE,
    created_at=NOW - 10,
    expires_at=NOW + 50,
)
SHOWN = CodeShown(client_id="shop", redirect_uri="https://app.example/callback", code_verifier=VERIFIER)


@pytest.mark.parametrize(
    ("code", "shown", "expected"),
    [
        ({}, {}, "redeem"),
        ({"expires_at": NOW + 0.001}, {}, "redeem"),
        ({"expires_at": NOW}, {}, "expired"),
        ({"used_at": NOW - 1}, {}, "reused"),
        ({"used_at": NOW - 60, "expires_at": NOW - 1}, {}, "reused"),
        ({}, {"client_id": "other"}, "other_client"),
        ({}, {"redirect_uri": "https://app.example/callback/"}, "other_redirect_uri"),
        ({}, {"redirect_uri": ""}, "other_redirect_uri"),
        ({}, {"code_verifier": VERIFIER[:-1] + "j"}, "other_verifier"),
        ({}, {"code_verifier": CHALLENGE}, "other_verifier"),
        ({}, {"code_verifier": ""}, "other_verifier"),
        ({}, {"code_verifier": "é" * 43}, "other_verifier"),
        ({"code_challenge": VERIFIER}, {}, "other_verifier"),
        ({"used_at": NOW - 1}, {"code_verifier": "w" * 43}, "other_verifier"),
        ({"used_at": NOW - 1}, {"client_id": "other"}, "other_client"),
        ({"dpop_jkt": "key"}, {}, "other_key"),
        ({"dpop_jkt": "key"}, {"jkt": "another"}, "other_key"),
        ({"dpop_jkt": "key", "used_at": NOW - 1}, {"jkt": "another"}, "other_key"),
        ({"dpop_jkt": "key"}, {"jkt": "key"}, "redeem"),
        ({}, {"jkt": "key"}, "redeem"),
    ],
    ids=str,
)
def test_a_code_is_judged(code: dict[str, Any], shown: dict[str, Any], expected: str) -> None:
    """Who lacks a part of it learns nothing of its state; reuse outranks expiry."""
    found = msgspec.structs.replace(CODE, **code)
    assert code_verdict(found, msgspec.structs.replace(SHOWN, **shown), now=NOW) == expected


def test_an_unknown_code_is_unknown() -> None:
    """No row, nothing to say."""
    assert code_verdict(None, SHOWN, now=NOW) == "unknown"


@pytest.mark.parametrize("verifier", ["w" * 42, "w" * 129, "w" * 42 + "=", "w" * 42 + " "])
def test_a_verifier_has_its_form(verifier: str) -> None:
    """43 to 128 unreserved characters, or it is none (RFC 7636, section 4.1)."""
    shown = msgspec.structs.replace(SHOWN, code_verifier=verifier)
    assert code_verdict(CODE, shown, now=NOW) == "other_verifier"
