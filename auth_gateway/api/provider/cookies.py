"""The two cookies of the sign-in pages: who is signed in at this browser, and whose way through the page this is.

Only digests of their values are stored, so nobody who reads the database can be one of these browsers.
"""

import re

from starlette.requests import Request

from auth_gateway.api.cookies import sent_cookie
from plumbing.credentials import digest

_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


class BrowserCookie:
    """Finds one of them in a request, and says how to set or remove it.

    It goes when the browser closes (no Max-Age); what it leads to ends by our own clock. The `__Host-` name
    (RFC 6265bis, section 4.1.3.2) keeps a neighbouring subdomain from planting one; browsers take it only over https,
    so a gateway without https has a plain name.
    """

    def __init__(self, name: str, *, is_https: bool) -> None:
        self._name = f"__Host-{name}" if is_https else name
        self._secure = "; Secure" if is_https else ""

    def value(self, request: Request) -> str:
        """The value that was sent, "" when there is none that could be ours."""
        return sent_cookie(request, self._name, could_be_ours=_VALUE.fullmatch)

    def digest(self, request: Request) -> bytes | None:
        """What the sent value is stored by."""
        given = self.value(request)
        return digest(given) if given else None

    def header(self, value: str) -> str:
        """The Set-Cookie header that keeps it: not readable by scripts, sent along by other sites' links alone."""
        return f"{self._name}={value}; Path=/; HttpOnly; SameSite=Lax{self._secure}"

    def removal(self) -> str:
        """The Set-Cookie header after which the browser has it no more."""
        return f"{self._name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax{self._secure}"


class BrowserCookies:
    """Both of them."""

    def __init__(self, *, is_https: bool) -> None:
        self.session = BrowserCookie("session", is_https=is_https)
        self.sign_in = BrowserCookie("sign-in", is_https=is_https)
