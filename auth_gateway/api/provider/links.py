"""`/link/{token}`: GET shows what a link in a mail is about, POST acts. Programs that read mail open links; a GET
therefore changes nothing, whatever it comes with.

The address is the secret, so pages here send no referrer, and no form proves by a cookie that it is ours: whoever can
write the address needs nobody else's browser to post it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.browsers import Browsers
from auth_gateway.api.provider.refusal_pages import refusal_page
from auth_gateway.core.letter import LinkPurpose, MailLink
from auth_gateway.core.provider.authorization import ACCOUNT_CLIENT_ID
from auth_gateway.core.sign_in_report import AskedAbout
from auth_gateway.flows.links import OpenLinks
from auth_gateway.flows.reporting import LinkOver, Reporting
from plumbing.bodies import parse_form, read_body, require_form
from plumbing.refusals import Refused

MOST_BYTES = 32_768
SECRET_ADDRESS = {"referrer-policy": "no-referrer"}
"""The page's own address opens something: it goes nowhere, not even to ourselves."""


class LinkPage(Protocol):
    """What a link of one purpose shows and does."""

    async def show(self, request: Request, token: str, link: MailLink) -> Response: ...

    async def act(self, request: Request, token: str, link: MailLink, fields: Mapping[str, str]) -> Response:
        """Raises: Refused."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRoutes:
    """Finds the page of a link's purpose."""

    browsers: Browsers
    links: OpenLinks
    pages: Mapping[LinkPurpose, LinkPage]
    wake_delivery: Callable[[], None]

    async def get_link(self, request: Request) -> Response:
        """What it is about, and a button."""
        return await self._answered(request, None)

    async def post_link(self, request: Request) -> Response:
        """What the person says to it."""
        try:
            require_form(request)
            fields = parse_form(await read_body(request, max_bytes=MOST_BYTES))
        except Refused as refusal:
            return self._refused(request, refusal)
        response = await self._answered(request, fields)
        self.wake_delivery()
        return response

    async def _answered(self, request: Request, fields: Mapping[str, str] | None) -> Response:
        token: str = request.path_params["token"]
        try:
            link = self.links.find(token)
            page = None if link is None else self.pages.get(link.purpose)
            if link is None or page is None:
                return link_over(self.browsers, request)
            if fields is None:
                return await page.show(request, token, link)
            return await page.act(request, token, link, fields)
        except Refused as refusal:
            return self._refused(request, refusal)

    def _refused(self, request: Request, refusal: Refused) -> Response:
        response = refusal_page(self.browsers.pages, request, refusal)
        response.headers.update(SECRET_ADDRESS)
        return response


@dataclass(frozen=True, slots=True, kw_only=True)
class WasThisYouPage:
    """A sign-in with a yes and a no."""

    browsers: Browsers
    reporting: Reporting

    async def show(self, request: Request, token: str, link: MailLink) -> Response:
        """When, where and with what, as the letter says it."""
        about = self.reporting.asked(token)
        return link_over(self.browsers, request) if about is None else self._question(request, about)

    async def act(self, request: Request, token: str, link: MailLink, fields: Mapping[str, str]) -> Response:
        """The answer; anything but a yes or a no asks again."""
        answer = fields.get("answer")
        if answer not in {"yes", "no"}:
            return await self.show(request, token, link)
        context = self.browsers.context(request, ACCOUNT_CLIENT_ID)
        word = await self.reporting.by_link(token, was_owner=answer == "yes", ip=context.ip)
        if isinstance(word, LinkOver):
            return link_over(self.browsers, request)
        if word.was_owner:
            return self.browsers.pages.notice(request, "recovery.confirmed", status=200, headers=SECRET_ADDRESS)
        return self.browsers.pages.page(request, "link/reported.html", headers=SECRET_ADDRESS)

    def _question(self, request: Request, about: AskedAbout) -> Response:
        moment = datetime.fromtimestamp(about.at, UTC)
        return self.browsers.pages.page(
            request,
            "link/was_this_you.html",
            headers=SECRET_ADDRESS,
            at=moment.strftime("%Y-%m-%d %H:%M UTC"),
            at_machine=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            place=about.place,
            device=about.device,
        )


def link_over(browsers: Browsers, request: Request) -> Response:
    """A link that says nothing any more, or never did: nobody can tell which."""
    return browsers.pages.notice(request, "recovery.link_over", status=410, headers=SECRET_ADDRESS)
