"""A form that asks for a letter: somebody writes a name or an address, and sees the same page, after the same time,
whether or not it is anybody's.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.login import Floor
from auth_gateway.api.provider.browsers import Browsers
from auth_gateway.api.provider.pages import Pages
from auth_gateway.api.provider.refusal_pages import refusal_page, retry_after
from auth_gateway.core.provider.authorization import ACCOUNT_CLIENT_ID
from auth_gateway.flows.answers import Throttled
from plumbing.bodies import parse_form, read_body, require_form
from plumbing.refusals import Refused

MOST_BYTES = 4_096
LONGEST = 254

AskLetter = Callable[[str, str, str], Awaitable[Throttled | None]]
"""What was written, the network address it came from, the page's language → that there were too many, or nothing."""


async def no_letters(pages: Pages, request: Request) -> Response:
    """Where no letter arrives people are sent to whoever runs the service."""
    return pages.notice(request, "recovery.no_letters", status=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterForm:
    """GET shows the form, POST takes it. `key` names its texts (`recovery.{key}_heading` and so on) and its form."""

    key: str
    browsers: Browsers
    ask: AskLetter
    floor: Floor
    wake_delivery: Callable[[], None]

    async def get_form(self, request: Request) -> Response:
        """An empty form, for this browser alone."""
        cookie, is_new = self.browsers.sign_in_cookie(request)
        response = self._form(request, cookie)
        if is_new:
            response.headers.append("set-cookie", self.browsers.cookies.sign_in.header(cookie))
        return response

    async def post_form(self, request: Request) -> Response:
        """The same answer for every name. The floor counts from the moment the whole request is here."""
        pages = self.browsers.pages
        try:
            require_form(request)
            fields = parse_form(await read_body(request, max_bytes=MOST_BYTES))
            if not self.browsers.is_our_form(request, fields, self.key):
                return pages.notice(request, "common.not_ours", status=400)
            started_at = self.browsers.clock.monotonic()
            named = fields.get("named", "").strip()
            if not 0 < len(named) <= LONGEST:
                return self._form(
                    request, self.browsers.cookies.sign_in.value(request), problem="recovery.named_missing", status=422
                )
            ip = self.browsers.context(request, ACCOUNT_CLIENT_ID).ip
            throttled = await self.ask(named, ip, pages.language(request))
        except Refused as refusal:
            return refusal_page(pages, request, refusal)
        if throttled is not None:
            headers = {"retry-after": retry_after(throttled.retry_after_seconds)}
            return pages.notice(request, "recovery.letters_throttled", status=429, headers=headers)
        self.wake_delivery()
        await self.floor.hold(started_at)
        return pages.notice(request, f"recovery.{self.key}_sent", status=200)

    def _form(self, request: Request, cookie: str, *, problem: str = "", status: int = 200) -> Response:
        return self.browsers.pages.page(
            request,
            f"{self.key}.html",
            status=status,
            csrf=self.browsers.csrf_of(cookie, self.key),
            problem=problem,
        )
