"""The cookie by which a browser is trusted."""

import pytest
from starlette.requests import Request

from auth_gateway.api.provider.cookies import TrustedCookie
from plumbing.credentials import digest

KEY, TOKEN = b"k" * 32, "t" * 43
OURS = TrustedCookie(is_https=True, key=KEY)


def request(cookie: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})


def pair(cookie: TrustedCookie = OURS, token: str = TOKEN) -> str:
    return cookie.header(token).split(";")[0]


def test_our_own_cookie_is_known_by_its_tokens_digest() -> None:
    """Nothing else of it is kept."""
    assert OURS.digest(request(pair())) == digest(TOKEN)


@pytest.mark.parametrize(
    "sent",
    [
        "",
        f"__Host-trusted={TOKEN}",
        f"__Host-trusted={TOKEN}.",
        f"__Host-trusted={TOKEN}.{'m' * 43}",
        pair(token="u" * 43).replace("u" * 43, TOKEN),
        pair(TrustedCookie(is_https=True, key=b"other" * 8)),
        pair(TrustedCookie(is_https=False, key=KEY)),
        pair() + "x",
        f"{pair()}; {pair(token='u' * 43)}",
        "__Host-trusted=é.ü",
    ],
)
def test_what_we_did_not_make_is_nothing(sent: str) -> None:
    """Without a look-up: the MAC is another, or there are two."""
    assert OURS.digest(request(sent)) is None


def test_it_is_bound_to_this_host_and_kept_for_thirty_days() -> None:
    """Over https with the prefix that no neighbour may set; without https browsers would not take that."""
    header = OURS.header(TOKEN)
    assert header.startswith(f"__Host-trusted={TOKEN}.")
    assert header.split("; ")[1:] == ["Max-Age=2592000", "Path=/", "HttpOnly", "SameSite=Lax", "Secure"]
    plain = TrustedCookie(is_https=False, key=KEY).header(TOKEN)
    assert plain.startswith("trusted=")
    assert "Secure" not in plain
