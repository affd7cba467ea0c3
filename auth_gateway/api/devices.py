"""The cookie by which a browser is known again. Only a digest of it goes further in."""

import re

from starlette.requests import Request

from auth_gateway.api.cookies import sent_cookie
from plumbing.credentials import digest
from plumbing.randomness import Randomness

COOKIE_DAYS = 400
"""Source: RFC 6265bis, section 5.5: browsers keep no cookie longer."""
_VALUE = re.compile(r"[A-Za-z0-9_-]{43}")


class DeviceCookie:
    """Finds or makes the value, and says how to set it.

    The `__Host-` name (RFC 6265bis, section 4.1.3.2) keeps a neighbouring subdomain from planting one; browsers take it
    only over https, so a gateway without https has a plain name.
    """

    def __init__(self, *, is_https: bool, randomness: Randomness) -> None:
        self._name = "__Host-device" if is_https else "device"
        self._secure = "; Secure" if is_https else ""
        self._randomness = randomness

    def value(self, request: Request) -> str:
        """The caller's own value, or a new one that is theirs once they keep it."""
        return self._given(request) or self._randomness.token()

    def known_id(self, request: Request) -> str:
        """The id of the device that shows its cookie, "" when none is shown: then it is not known."""
        given = self._given(request)
        return device_id_of(given) if given else ""

    def _given(self, request: Request) -> str:
        if "cookie" not in request.headers:  # most refreshes
            return ""
        return sent_cookie(request, self._name, could_be_ours=_VALUE.fullmatch)

    def header(self, value: str) -> str:
        """The Set-Cookie header that keeps it: not readable by scripts, not sent along from other sites' forms."""
        age = COOKIE_DAYS * 86_400
        return f"{self._name}={value}; Max-Age={age}; Path=/; HttpOnly; SameSite=Lax{self._secure}"


def device_id_of(value: str) -> str:
    """What the scorer and the tables know the device by: nobody who reads them can make the cookie from it."""
    return f"dev_{digest(value).hex()[:32]}"
