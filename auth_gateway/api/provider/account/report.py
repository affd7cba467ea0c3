"""`/account/report/{event_id}`: this sign-in was not me, or it was. Looking is GET; only a POST says a word."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.account.gate import AccountGate, Fields
from auth_gateway.api.provider.account.words import NameBrowser, activity_entry
from auth_gateway.flows.account.door import Person
from auth_gateway.flows.account.overview import Overviews
from auth_gateway.flows.reporting import Reporting


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRoutes:
    """What somebody says of a sign-in in their name."""

    gate: AccountGate
    overviews: Overviews
    reporting: Reporting
    name_browser: NameBrowser

    async def get_page(self, request: Request) -> Response:
        """The sign-in, and what each answer does."""

        def show(person: Person) -> Response:
            found = self.overviews.sign_in(person, request.path_params["event_id"])
            if found is None:
                return self.gate.nothing_there(request)
            entry = activity_entry(found[0], self.name_browser, person.now)
            return self.gate.page(request, "report.html", person, entry=entry)

        # Whoever must sign in first comes back to the list: an address of a page holds nothing of a request.
        return await self.gate.get(request, "", show)

    async def post_page(self, request: Request) -> Response:
        """The owner's word; "not me" puts this browser out with all others."""

        async def act(person: Person, fields: Fields) -> Response:
            found = self.overviews.sign_in(person, request.path_params["event_id"])
            answer = fields.get("answer")
            if found is None or answer not in {"yes", "no"}:
                return self.gate.nothing_there(request)
            await self.reporting.at_account(found[1], was_owner=answer == "yes", ip=person.context.ip)
            if answer == "yes":
                return self.gate.go(request, "", "confirmed")
            browsers = self.gate.browsers
            headers = {"set-cookie": browsers.cookies.session.removal()}
            return browsers.pages.notice(request, "account.reported", status=200, headers=headers)

        return await self.gate.post(request, "", act)
