"""Which secrets an operator may set."""

import pytest

from plumbing.secret_strength import weakness


@pytest.mark.parametrize(
    ("secret", "complaint"),
    [
        ("supersecret", "published"),
        ("A-String-Secret-At-Least-256-Bits-Long", "published"),
        ("short-but-random-8fK2", "shorter than 24 bytes"),
        ("abcdefg" * 10, "repeats"),
        ("abcdefgh" * 3, None),
        ("9f8c1d2e7a6b5c4d3e2f1a0b", None),
    ],
)
def test_a_secret_is_long_unpublished_and_varied(secret: str, complaint: str | None) -> None:
    """Both sides of each bound; the text never shows the secret."""
    found = weakness(secret, least_bytes=24)
    assert (found is None) == (complaint is None)
    assert complaint is None or (found is not None and complaint in found and secret not in found)
