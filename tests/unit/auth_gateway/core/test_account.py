"""Values of accounts."""

import pytest

from auth_gateway.core.account import device_digest, hash_scheme


@pytest.mark.parametrize(
    ("stored_hash", "expected"),
    [
        ("$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234", "2b$12"),
        ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "argon2id$v=19$m=65536,t=3,p=4"),
        ("$pbkdf2-sha256$29000$salt$hash", "pbkdf2-sha256$29000"),
        ("plain", "unknown"),
    ],
)
def test_the_scheme_of_a_hash_tells_its_cost_and_nothing_of_the_password(stored_hash: str, expected: str) -> None:
    """Salt and hash stay out of it."""
    assert hash_scheme(stored_hash) == expected


def test_an_unknown_device_is_nobodys() -> None:
    """No id, no digest: two browsers without an id are not the same device."""
    assert device_digest("") is None
    assert device_digest("dev-1") != device_digest("dev-2")
