"""Which cookie of a request is the one of a name."""

import re

import pytest
from starlette.requests import Request

from auth_gateway.api.cookies import sent_cookie

OURS = re.compile(r"[a-z]{3}")


def found(*headers: bytes) -> str:
    request = Request({"type": "http", "headers": [(b"cookie", header) for header in headers]})
    return sent_cookie(request, "__Host-session", could_be_ours=OURS.fullmatch)


@pytest.mark.parametrize(
    "headers",
    [
        (b"__Host-session=abc",),
        (b"a=b; __Host-session=abc; c=d",),
        (b"a=b;\t__Host-session=abc \t;",),
        (b"a=b", b"__Host-session=abc"),  # HTTP/2 may send one header for each
        (b"__Host-session=abc; __Host-session=abc",),
        (b"__Host-session=stale-of-another-shape; __Host-session=abc",),
        (b"\xa0__Host-session=xyz; __Host-session=abc",),
    ],
)
def test_a_cookie_is_found_by_its_name(headers: tuple[bytes, ...]) -> None:
    """Wherever it stands."""
    assert found(*headers) == "abc"


@pytest.mark.parametrize("before", [b"\xa0", b"\x85", b"\x1c", b"\x1f", b"\x0b", b"\x0c", b"=", b"\xe2\x80\x80"])
def test_a_name_that_only_looks_like_it_is_another(before: bytes) -> None:
    """A neighbouring subdomain may set any name but one that begins with the prefix."""
    assert found(before + b"__Host-session=abc") == ""


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (b"",),
        (b"__Host-session",),
        (b"__Host-session=",),
        (b"__Host-session =abc",),
        (b"__host-session=abc",),
        (b'__Host-session="abc"',),
        (b"__Host-session=ABC",),
        (b"__Host-session=abc; __Host-session=xyz",),
        (b"__Host-session=abc", b"__Host-session=xyz"),
    ],
)
def test_what_is_none_of_ours_or_one_of_two_is_nobodys(headers: tuple[bytes, ...]) -> None:
    """Of two values one was planted."""
    assert found(*headers) == ""
