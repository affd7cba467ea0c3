"""`/account`: who is in and where, what happened lately, which applications are connected; and the buttons of it."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.account.gate import AccountGate, Fields
from auth_gateway.api.provider.account.words import NameBrowser, activity_entry, ago, session_entry, trusted_entry
from auth_gateway.api.provider.browsers import see_other
from auth_gateway.flows.account.door import Person
from auth_gateway.flows.account.overview import Overviews
from auth_gateway.flows.account.sessions import SignOuts

LONGEST_ID = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewRoutes:
    """The overview and what can be ended there."""

    gate: AccountGate
    overviews: Overviews
    sign_outs: SignOuts
    name_browser: NameBrowser
    has_passkeys: bool

    async def get_front(self, _request: Request) -> Response:
        """Who types the bare address wants their own account; everybody else is sent by an application."""
        return see_other(f"{self.gate.browsers.issuer}/account")

    async def get_account(self, request: Request) -> Response:
        """The overview."""
        return await self.gate.get(request, "", lambda person: self._page(request, person))

    async def post_session(self, request: Request) -> Response:
        """Sign out one browser, this one too."""

        async def act(person: Person, fields: Fields) -> Response:
            ended = await self.sign_outs.one(person, fields.get("session", "")[:LONGEST_ID])
            if ended == "here":
                return self._signed_out(request)
            return self.gate.go(request, "", "session_ended") if ended == "elsewhere" else self._nothing(request)

        return await self.gate.post(request, "", act)

    async def post_sessions(self, request: Request) -> Response:
        """Sign out everywhere else, or everywhere."""

        async def act(person: Person, fields: Fields) -> Response:
            if fields.get("which") != "all":
                await self.sign_outs.others(person)
                return self.gate.go(request, "", "others_ended")
            await self.sign_outs.all(person)
            return self._signed_out(request)

        return await self.gate.post(request, "", act)

    async def post_device(self, request: Request) -> Response:
        """Trust a browser no more."""

        async def act(person: Person, fields: Fields) -> Response:
            done = await self.sign_outs.distrust(person, fields.get("device", "")[:LONGEST_ID])
            return self.gate.go(request, "", "distrusted") if done else self._nothing(request)

        return await self.gate.post(request, "", act)

    async def post_application(self, request: Request) -> Response:
        """Disconnect an application."""

        async def act(person: Person, fields: Fields) -> Response:
            done = await self.sign_outs.disconnect(person, fields.get("application", "")[:LONGEST_ID])
            return self.gate.go(request, "", "disconnected") if done else self._nothing(request)

        return await self.gate.post(request, "", act)

    async def get_nothing(self, request: Request) -> Response:
        """Any other address under the account."""
        return self._nothing(request)

    def _nothing(self, request: Request) -> Response:
        return self.gate.nothing_there(request)

    def _signed_out(self, request: Request) -> Response:
        browsers = self.gate.browsers
        headers = {"set-cookie": browsers.cookies.session.removal()}
        return browsers.pages.notice(request, "account.signed_out", status=200, headers=headers)

    def _page(self, request: Request, person: Person) -> Response:
        overview, now = self.overviews.of(person), person.now
        since = overview.proofs.totp_since
        return self.gate.page(
            request,
            "overview.html",
            person,
            sessions=[session_entry(each, self.name_browser, now) for each in overview.sessions],
            trusted=[trusted_entry(each, self.name_browser, now) for each in overview.trusted],
            activity=[activity_entry(each, self.name_browser, now) for each in overview.activity],
            applications=overview.applications,
            proofs=overview.proofs,
            totp_since=None if since is None else ago(since, now),
            has_passkeys=self.has_passkeys,
        )
