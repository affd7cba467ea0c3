"""What an access token says."""

import msgspec

from auth_gateway.core.claims import Audience, access_claims, by_password, by_password_and_code

NOW = 1_700_000_000.9


def test_an_access_token_has_the_claims_of_rfc_9068() -> None:
    """Every claim that section 2.2 requires, and sid, auth_time, acr and amr."""
    claims = access_claims(
        audience=Audience(issuer="https://id.example", audience="api"),
        user_id="alice",
        client_id="web",
        session_id="s1",
        authentication=by_password(NOW),
        token_id="j1",
        now=NOW + 60,
        ttl_seconds=900,
    )
    assert msgspec.to_builtins(claims) == {
        "iss": "https://id.example",
        "sub": "alice",
        "aud": "api",
        "iat": 1_700_000_060,
        "exp": 1_700_000_960,
        "jti": "j1",
        "client_id": "web",
        "scope": "openid profile email",
        "sid": "s1",
        "auth_time": 1_700_000_000,
        "acr": "aal1",
        "amr": ("pwd",),
    }


def test_a_second_factor_shows_in_acr_and_amr() -> None:
    """RFC 8176's names, and the higher level."""
    recognised = by_password_and_code(NOW)
    assert (recognised.amr, recognised.acr) == (("pwd", "otp", "mfa"), "aal2")
