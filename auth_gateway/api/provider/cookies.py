"""The cookies of the sign-in pages: who is signed in at this browser, whose way through the page this is, and whether
its owner trusts the browser.

Only digests of their values are stored, so nobody who reads the database can be one of these browsers.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode

from starlette.requests import Request

from auth_gateway.api.cookies import sent_cookie
from auth_gateway.flows.trust import TRUSTED_SECONDS
from plumbing.credentials import digest

_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")
_SEALED = re.compile(r"[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}")


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


class TrustedCookie:
    """The cookie by which a browser is trusted: a token and its MAC, so that an invented one costs no look-up. It stays
    when the browser closes; the row that it leads to is what ends it sooner.
    """

    def __init__(self, *, is_https: bool, key: bytes) -> None:
        self._name = "__Host-trusted" if is_https else "trusted"
        self._secure = "; Secure" if is_https else ""
        self._key = key

    def digest(self, request: Request) -> bytes | None:
        """What the sent token is stored by; None when none is sent that we made."""
        given = sent_cookie(request, self._name, could_be_ours=_SEALED.fullmatch)
        token, _, mac = given.partition(".")
        return digest(token) if given and hmac.compare_digest(mac.encode(), self._mac(token)) else None

    def header(self, token: str) -> str:
        """The Set-Cookie header that keeps a token of ours: not readable by scripts, not sent with other sites' forms.
        Lax and not Strict: the application's link to the sign-in page is another site's."""
        value = f"{token}.{self._mac(token).decode()}"
        return f"{self._name}={value}; Max-Age={TRUSTED_SECONDS}; Path=/; HttpOnly; SameSite=Lax{self._secure}"

    def _mac(self, token: str) -> bytes:
        return urlsafe_b64encode(hmac.digest(self._key, token.encode(), hashlib.sha256)).rstrip(b"=")


class BrowserCookies:
    """All of them; `trust_key` is derived for the MAC of one alone."""

    def __init__(self, *, is_https: bool, trust_key: bytes) -> None:
        self.session = BrowserCookie("session", is_https=is_https)
        self.sign_in = BrowserCookie("sign-in", is_https=is_https)
        self.trusted = TrustedCookie(is_https=is_https, key=trust_key)
