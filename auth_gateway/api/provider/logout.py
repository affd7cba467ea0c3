"""`/logout`: people sign out here, sent by an application or on their own (RP-Initiated Logout 1.0)."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from auth_gateway.api.provider.browsers import origin_of
from auth_gateway.api.provider.cookies import BrowserCookie
from auth_gateway.api.provider.logout_page import LogoutPage
from auth_gateway.api.provider.token_forms import token_form
from auth_gateway.core.provider.end_session import EndSessionRequest
from auth_gateway.flows.provider.logout import Logout, SignedOut
from plumbing.bodies import parse_form
from plumbing.refusals import Refused

MOST_QUERY_BYTES = 16_384
_PARAMETERS = EndSessionRequest.__struct_fields__
_ABOUT = "\nlogout"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutRoutes:
    """The end-session endpoint. `csrf_key` is derived for the pages alone; `issuer` is where this gateway is."""

    logout: Logout
    cookie: BrowserCookie
    page: LogoutPage
    csrf_key: bytes
    issuer: str
    wake_delivery: Callable[[], None]

    async def get_logout(self, request: Request) -> Response:
        """Signs out at once, asks first, or says why neither."""
        try:
            query = request.scope["query_string"]
            if len(query) > MOST_QUERY_BYTES:
                raise Refused("invalid_request", "The request is too long.", status=400)
            return await self._asked(request, _request(parse_form(query)))
        except Refused as refused:
            return self.page.refused(request, refused)

    async def post_logout(self, request: Request) -> Response:
        """The answer on our own page; anything else is an application's request.

        Another site's POST comes without our cookie (SameSite=Lax) and would find nobody signed in. It is sent round
        once more as a GET, which has it.
        """
        try:
            fields = await token_form(request)
            if "csrf" in fields:
                return await self._answered(request, fields)
            given = msgspec.structs.asdict(_request(fields))
            query = urlencode({name: value for name, value in given.items() if value})
            return RedirectResponse(f"{self.issuer}/logout?{query}", status_code=303)
        except Refused as refused:
            return self.page.refused(request, refused)

    async def _asked(self, request: Request, asked: EndSessionRequest) -> Response:
        outcome = await self.logout.ask(asked, self.cookie.digest(request))
        if isinstance(outcome, SignedOut):
            return self._signed_out(request, outcome)
        return self.page.confirm(
            request,
            action=f"{self.issuer}/logout",
            csrf=self._csrf(self.cookie.value(request)),
            client=outcome.client,
            asked=asked,
            goes_to=outcome.goes_to,
        )

    async def _answered(self, request: Request, fields: Mapping[str, str]) -> Response:
        self._require_own_page(request, fields)
        if fields.get("answer") != "out":
            return self.page.stayed(request)
        return self._signed_out(request, await self.logout.confirmed(_request(fields), self.cookie.digest(request)))

    def _require_own_page(self, request: Request, fields: Mapping[str, str]) -> None:
        """Another site must not sign people out by a form of its own.

        Raises: Refused `forbidden` (403).
        """
        ours = origin_of(self.issuer)
        is_ours = request.headers.get("origin", ours) == ours
        is_same_site = request.headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}
        expected = self._csrf(self.cookie.value(request)).encode()
        if not (is_ours and is_same_site and hmac.compare_digest(fields["csrf"].encode(), expected)):
            raise Refused(
                "forbidden", "This page is out of date. Go back to the application and try again.", status=403
            )

    def _csrf(self, cookie_value: str) -> str:
        mark = hmac.digest(self.csrf_key, (cookie_value + _ABOUT).encode(), hashlib.sha256)
        return urlsafe_b64encode(mark).rstrip(b"=").decode()

    def _signed_out(self, request: Request, outcome: SignedOut) -> Response:
        self.wake_delivery()
        headers = {"set-cookie": self.cookie.removal()}
        if outcome.goes_to is not None:
            return RedirectResponse(outcome.goes_to, status_code=303, headers=headers)
        return self.page.signed_out(request, headers)


def _request(fields: Mapping[str, str]) -> EndSessionRequest:
    """What we read of the parameters; the rest (`logout_hint`, `ui_locales`) asks for nothing that we do."""
    return EndSessionRequest(**{name: fields.get(name, "") for name in _PARAMETERS})
