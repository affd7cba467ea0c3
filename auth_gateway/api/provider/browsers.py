"""A browser at the provider's own addresses: what is believed of it, and where it is sent."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from auth_gateway.api.bodies import VouchedFacts
from auth_gateway.api.devices import DeviceCookie, device_id_of
from auth_gateway.api.edge import Edge
from auth_gateway.api.provider.cookies import BrowserCookies
from auth_gateway.api.provider.pages import Pages
from auth_gateway.core.context import Client, LoginContext
from auth_gateway.core.provider.reply import BackToAccount, Reply
from auth_gateway.flows.provider.onward import CardNext, Onwards, Over
from plumbing.clock import Clock
from plumbing.credentials import digest
from plumbing.randomness import Randomness

_NOTHING_VOUCHED = VouchedFacts()
_OUR_OWN = ("same-origin", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Browsers:
    """Reads browsers' requests and answers them. `csrf_key` is derived for the pages alone."""

    issuer: str
    csrf_key: bytes
    cookies: BrowserCookies
    devices: DeviceCookie
    edge: Edge
    clock: Clock
    randomness: Randomness
    pages: Pages
    address_of: Callable[[Reply], str]

    def context(self, request: Request, client_id: str, *, device_cookie: str | None = None) -> LoginContext:
        """The circumstances of a request, as its connection shows them and nothing that it says; `device_cookie` is
        the value that the browser will be known by from now on."""
        device_id = self.devices.known_id(request) if device_cookie is None else device_id_of(device_cookie)
        client = Client(client_id=client_id)
        seen = self.edge.context(request, _NOTHING_VOUCHED, client=client, device_id=device_id, now=self.clock.now())
        return msgspec.structs.replace(seen, trusted_digest=self.cookies.trusted.digest(request))

    def shown(self, request: Request) -> bytes | None:
        """The digest of the session cookie that was sent."""
        return self.cookies.session.digest(request)

    def binding(self, request: Request) -> bytes | None:
        """The digest of the sign-in cookie that was sent."""
        return self.cookies.sign_in.digest(request)

    def sign_in_cookie(self, request: Request) -> tuple[str, bool]:
        """This browser's sign-in cookie, and whether it is new."""
        given = self.cookies.sign_in.value(request)
        return (given, False) if given else (self.randomness.token(), True)

    def csrf(self, request: Request, interaction_id: str) -> str:
        """What a form of this interaction must bring back; only a page of ours, read by this very browser, has it."""
        return self.csrf_of(self.cookies.sign_in.value(request), interaction_id)

    def csrf_of(self, cookie: str, interaction_id: str) -> str:
        """The same for a sign-in cookie that the browser is only being given."""
        text = f"{cookie}\n{interaction_id}".encode()
        return urlsafe_b64encode(hmac.digest(self.csrf_key, text, hashlib.sha256)).rstrip(b"=").decode()

    def is_our_form(self, request: Request, fields: Mapping[str, str], interaction_id: str) -> bool:
        """Whether a post was made from our own page in this browser; three locks, since each has failed somewhere."""
        cookie = self.cookies.sign_in.value(request)
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site")
        return (
            cookie != ""
            and hmac.compare_digest(self.csrf_of(cookie, interaction_id).encode(), fields.get("csrf", "").encode())
            and (origin is None or origin == origin_of(self.issuer))
            and (site is None or site in _OUR_OWN)
        )

    def go(self, request: Request, onwards: Onwards, *, cookies: Sequence[str] = ()) -> Response:
        """Sends the browser on: to the application, the account, the next card, or the page that says it is over."""
        if isinstance(onwards, Over):
            return self.pages.outdated(request)
        if isinstance(onwards, CardNext):
            return see_other(f"{self.issuer}/sign-in/{onwards.interaction_id}", cookies)
        if isinstance(onwards, BackToAccount):
            return see_other(f"{self.issuer}/account{onwards.page}", cookies)
        return see_other(self.address_of(onwards), cookies)


def see_other(address: str, cookies: Sequence[str] = ()) -> Response:
    """A redirect that is fetched by GET, whatever was posted; a password is never posted on."""
    response = RedirectResponse(address, status_code=303)
    for cookie in cookies:
        response.headers.append("set-cookie", cookie)
    return response


def origin_of(address: str) -> str:
    """Scheme, host and port, as a browser writes them in Origin."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}".lower()


def binding_of(sign_in_cookie: str) -> bytes:
    """What an interaction knows its browser by."""
    return digest(sign_in_cookie)
