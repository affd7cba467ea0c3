"""Addresses to listen on, as settings say them."""

import pytest
from pydantic import TypeAdapter, ValidationError

from plumbing.listening import Address, ListenAddress, address_of


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


def test_a_setting_is_an_address_or_a_refusal_in_words() -> None:
    """Also where the environment's text was taken for a number."""
    setting = TypeAdapter(ListenAddress | None)
    assert setting.validate_python("127.0.0.1:9101") == Address("127.0.0.1", 9101)
    assert setting.validate_python(None) is None
    with pytest.raises(ValidationError, match=r"such as 127\.0\.0\.1:9101"):
        setting.validate_python(9101)
