"""The pages that people see when they sign out. Nothing on them is of the request but what was checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.pages import Pages
from auth_gateway.api.provider.refusal_pages import refusal_page
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.end_session import EndSessionRequest
from plumbing.refusals import Refused


@dataclass(frozen=True, slots=True)
class LogoutPage:
    """The question, and what comes of it."""

    pages: Pages

    def confirm(
        self,
        request: Request,
        *,
        action: str,
        csrf: str,
        client: RegisteredClient | None,
        asked: EndSessionRequest,
        goes_to: str | None,
    ) -> Response:
        """Do you want to sign out; the form brings back what is needed to go on afterwards."""
        carried = {
            "csrf": csrf,
            "client_id": "" if client is None else client.client_id,
            "post_logout_redirect_uri": asked.post_logout_redirect_uri,
            "state": asked.state,
        }
        fields = {name: value for name, value in carried.items() if value}
        name = None if client is None else client.name
        return self.pages.page(request, "logout.html", goes_to=goes_to, action=action, fields=fields, client_name=name)

    def signed_out(self, request: Request, headers: Mapping[str, str]) -> Response:
        """It is done, and there is nowhere to go."""
        return self.pages.notice(request, "sign_in.signed_out", status=200, headers=headers)

    def stayed(self, request: Request) -> Response:
        """They changed their mind."""
        return self.pages.notice(request, "sign_in.stayed", status=200)

    def refused(self, request: Request, refused: Refused) -> Response:
        """The request cannot be followed; nobody was signed out, and nobody is sent anywhere."""
        return refusal_page(self.pages, request, refused)
