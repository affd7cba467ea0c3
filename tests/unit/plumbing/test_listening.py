"""Addresses to listen on, as settings say them."""

import pytest

from plumbing.listening import address_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9101", ("127.0.0.1", 9101)),
        ("[::1]:1", ("::1", 1)),
        ("localhost:65535", ("localhost", 65535)),
    ],
)
def test_an_address_has_a_host_and_a_port(text: str, expected: tuple[str, int]) -> None:
    """IPv6 addresses stand in brackets."""
    assert address_of(text) == expected


@pytest.mark.parametrize("text", ["", "9101", ":9101", "127.0.0.1", "127.0.0.1:", "h:0", "h:65536", "h:-1", "h:٣"])
def test_anything_else_is_refused(text: str) -> None:
    """A port alone would listen everywhere by accident."""
    with pytest.raises(ValueError, match=r"such as 127.0.0.1:9101"):
        address_of(text)
