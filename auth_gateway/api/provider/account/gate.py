"""What every account page goes through: whose request it is, whether its form is ours, and what is answered when
something is in the way.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.browsers import Browsers, binding_of, origin_of, see_other
from auth_gateway.api.provider.refusal_pages import refusal_page
from auth_gateway.core.provider.authorization import ACCOUNT_CLIENT_ID
from auth_gateway.flows.account.door import AccountDoor, Coming, NotNow, Person
from auth_gateway.flows.answers import Throttled
from plumbing.bodies import parse_form, read_body, require_form
from plumbing.refusals import Refused

MOST_BYTES = 32_768
FORM = "account"
_OUR_OWN = ("same-origin", "none")

Fields = Mapping[str, str]
Show = Callable[[Person], Response]
Act = Callable[[Person, Fields], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountGate:
    """Lets requests through to the pages."""

    browsers: Browsers
    door: AccountDoor
    wake_delivery: Callable[[], None]

    async def get(self, request: Request, page: str, show: Show, *, is_sensitive: bool = False) -> Response:
        """The page, for its owner; everybody else signs in first and comes back to `page`."""
        try:
            entered = await self._enter(request, page, is_sensitive=is_sensitive)
            return show(entered) if isinstance(entered, Person) else entered
        except Refused as refusal:
            return refusal_page(self.browsers.pages, request, refusal)

    async def post(self, request: Request, page: str, act: Act, *, is_sensitive: bool = False) -> Response:
        """The answer to a form of `page`. Who must sign in first comes back to the page; what was typed is gone."""
        try:
            require_form(request)
            fields = parse_form(await read_body(request, max_bytes=MOST_BYTES))
            if self.browsers.cookies.session.value(request) and not self._is_our_form(request, fields):
                return self.browsers.pages.notice(request, "common.not_ours", status=403)
            entered = await self._enter(request, page, is_sensitive=is_sensitive)
            response = await act(entered, fields) if isinstance(entered, Person) else entered
        except Refused as refusal:
            response = refusal_page(self.browsers.pages, request, refusal)
        self.wake_delivery()
        return response

    def page(self, request: Request, template: str, person: Person, *, status: int = 200, **values: Any) -> Response:
        """One page of the account; `done` is what has just been done, a text's key."""
        shown: dict[str, Any] = {
            "csrf": self._csrf(request),
            "person": person.account.display_name or person.account.username,
            "done": self._done(request),
            "problem": "",
        }
        return self.browsers.pages.page(request, f"account/{template}", status=status, **{**shown, **values})

    def go(self, request: Request, page: str, done: str = "", cookies: tuple[str, ...] = ()) -> Response:
        """Back to a page by GET, which says what was done."""
        cookie = self.browsers.cookies.session.value(request)
        note = f"?done={done}.{self._mark(cookie, done)}" if done else ""
        return see_other(f"{self.browsers.issuer}/account{page}{note}", cookies)

    def moved(self, page: str, done: str, cookie: str) -> Response:
        """The same under a new session cookie."""
        note = f"?done={done}.{self._mark(cookie, done)}"
        header = self.browsers.cookies.session.header(cookie)
        return see_other(f"{self.browsers.issuer}/account{page}{note}", [header])

    def throttled(self, throttled: Throttled) -> Refused:
        """What too many tries of the password are answered with."""
        seconds = throttled.retry_after_seconds
        return Refused("throttled", "Too many attempts.", status=429, retry_after_seconds=seconds)

    def nothing_there(self, request: Request) -> Response:
        """What is nobody's and what is somebody else's look the same."""
        return self.browsers.pages.notice(request, "account.nothing_there", status=404)

    async def _enter(self, request: Request, page: str, *, is_sensitive: bool) -> Person | Response:
        browsers = self.browsers
        cookie, is_new = browsers.sign_in_cookie(request)
        coming = Coming(
            shown=browsers.shown(request),
            binding=binding_of(cookie),
            context=browsers.context(request, ACCOUNT_CLIENT_ID),
            page=page,
            is_sensitive=is_sensitive,
        )
        entered = await self.door.enter(coming)
        if isinstance(entered, Person):
            return entered
        self.wake_delivery()
        if isinstance(entered, NotNow):
            return browsers.pages.notice(request, "account.not_now", status=403)
        return browsers.go(request, entered, cookies=[browsers.cookies.sign_in.header(cookie)] if is_new else [])

    def _csrf(self, request: Request) -> str:
        return self.browsers.csrf_of(self.browsers.cookies.session.value(request), FORM)

    def _is_our_form(self, request: Request, fields: Fields) -> bool:
        """Made from our own page, for this very login; three locks, since each has failed somewhere."""
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        return (
            hmac.compare_digest(self._csrf(request).encode(), fields.get("csrf", "").encode())
            and (origin is None or origin == origin_of(self.browsers.issuer))
            and (site is None or site in _OUR_OWN)
        )

    def _done(self, request: Request) -> str:
        """What was done, in a word that only we can have written: nobody's link makes a page say what never was."""
        key, _, mark = request.query_params.get("done", "").partition(".")
        cookie = self.browsers.cookies.session.value(request)
        if not key or not hmac.compare_digest(mark.encode(), self._mark(cookie, key).encode()):
            return ""
        return f"account.done_{key}"

    def _mark(self, cookie: str, done: str) -> str:
        return self.browsers.csrf_of(cookie, f"done\n{done}")[:22]
