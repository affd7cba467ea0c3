"""Who we are to browsers, and what passkeys are called."""

import pytest

from auth_gateway.core.passkey_ceremony import LONGEST_NAME, passkey_name, relying_party


@pytest.mark.parametrize(
    ("issuer", "rp_id", "origin"),
    [
        ("https://login.example.com", "login.example.com", "https://login.example.com"),
        ("https://LOGIN.example.com:443/id", "login.example.com", "https://login.example.com"),
        ("https://login.example.com:8443/id", "login.example.com", "https://login.example.com:8443"),
        ("http://localhost:8000", "localhost", "http://localhost:8000"),
        ("http://localhost:80", "localhost", "http://localhost"),
        ("http://login.localhost:8000", "login.localhost", "http://login.localhost:8000"),
        ("https://10.example", "10.example", "https://10.example"),
    ],
)
def test_a_gateway_is_known_to_browsers_by_its_host(issuer: str, rp_id: str, origin: str) -> None:
    """The origin is as browsers write it."""
    party = relying_party(issuer, "Example")
    assert party is not None
    assert (party.rp_id, party.origin, party.name) == (rp_id, origin, "Example")


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example.com",
        "http://127.0.0.1:8000",
        "https://192.0.2.7",
        "https://192.0.2.7.",
        "https://0x7f000001",
        "https://[2001:db8::1]",
        "http://notlocalhost:8000",
        "iam-ai-sample",
        "",
    ],
)
def test_where_browsers_have_no_passkeys_we_are_nobody(issuer: str) -> None:
    """They want https, but for the machine itself, and a name."""
    assert relying_party(issuer, "Example") is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  My   phone\n", "My phone"),
        ("", "Passkey"),
        ("\u200b\x07\n", "Passkey"),
        ("a" * LONGEST_NAME, "a" * LONGEST_NAME),
        ("a" * (LONGEST_NAME + 1), "a" * LONGEST_NAME),
        ("Zoë’s Schlüssel 🔑", "Zoë’s Schlüssel 🔑"),
        ("x\u202egpj", "x gpj"),
    ],
)
def test_a_name_is_one_line_and_not_too_long(given: str, kept: str) -> None:
    """Nothing invisible, nothing that turns the line around."""
    assert passkey_name(given, "Passkey") == kept
