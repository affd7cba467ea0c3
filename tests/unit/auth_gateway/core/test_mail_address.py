"""A mail address is taken in one form, and nothing gets through it into a header or to a second address."""

import pytest

from auth_gateway.core.mail_address import LONGEST, prepare_address

LOCAL = "a" * 64


@pytest.mark.parametrize(
    ("raw", "prepared"),
    [
        ("alice@example.com", "alice@example.com"),
        (" alice@example.com ", "alice@example.com"),
        ("Alice.B+x@Example.COM", "Alice.B+x@example.com"),
        ("alice@bücher.example", "alice@xn--bcher-kva.example"),
        ("o'neil@example.com", "o'neil@example.com"),
        (f"{LOCAL}@example.com", f"{LOCAL}@example.com"),
        ("a@b.c", "a@b.c"),
    ],
)
def test_an_address_is_taken(raw: str, prepared: str) -> None:
    """In its form for the network; the local part as it is."""
    assert prepare_address(raw) == prepared


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "alice",
        "@example.com",
        "alice@",
        "alice@localhost",
        "alice@@example.com",
        ".alice@example.com",
        "al..ice@example.com",
        "alice@-example.com",
        "alice@exam ple.com",
        "alice@[127.0.0.1]",
        '"alice"@example.com',
        "alice@example.com,bob@example.com",
        "alice@example.com\r\nBcc: bob@example.com",
        "alice\n@example.com",
        "alice@example.com\0",
        "Alice <alice@example.com>",
        "älice@example.com",
        f"{LOCAL}a@example.com",
        "alice@" + "a" * 64 + ".com",
        "alice@" + "x." * 150 + "com",
        "alice@\ud800.com",
    ],
)
def test_what_is_no_address_is_refused(raw: str) -> None:
    """Whatever could be a second address, a header or nobody's mailbox."""
    assert prepare_address(raw) is None


def test_the_longest_address() -> None:
    """254 characters in all, and not one more."""
    domain = ".".join(["d" * 61] * 3)
    fits = f"{LOCAL}@{domain}.a"
    fits += "b" * (LONGEST - len(fits))
    assert len(fits) == LONGEST
    assert prepare_address(fits) == fits
    assert prepare_address(fits + "b") is None
