"""The page of a link that makes an account: the password, and it is there."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.browsers import Browsers
from auth_gateway.api.provider.links import SECRET_ADDRESS, link_over
from auth_gateway.api.provider.recovery import PASSWORD_PROBLEMS
from auth_gateway.core.letter import MailLink
from auth_gateway.core.password_rules import LONGEST
from auth_gateway.core.provider.authorization import ACCOUNT_CLIENT_ID
from auth_gateway.flows.sign_up import NewComer, SignedUp, SignUp
from plumbing.refusals import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpPage:
    """What a link to a new account shows and does."""

    browsers: Browsers
    sign_up: SignUp

    async def show(self, request: Request, token: str, link: MailLink) -> Response:
        """The password's form; the user name stands there, for whatever keeps passwords."""
        comer = self.sign_up.find(token)
        return link_over(self.browsers, request) if comer is None else self._password(request, comer)

    async def act(self, request: Request, token: str, link: MailLink, fields: Mapping[str, str]) -> Response:
        """The account."""
        comer = self.sign_up.find(token)
        if comer is None:
            return link_over(self.browsers, request)
        if fields.get("card") != "password":
            return self._password(request, comer)
        ip = self.browsers.context(request, ACCOUNT_CLIENT_ID).ip
        try:
            answer = await self.sign_up(token, fields.get("password", ""), ip)
        except Refused as refusal:
            if refusal.code not in PASSWORD_PROBLEMS:
                raise
            return self._password(request, comer, problem=f"recovery.{refusal.code}", status=422)
        if isinstance(answer, SignedUp):
            return self.browsers.pages.notice(request, "recovery.signed_up", status=200, headers=SECRET_ADDRESS)
        return link_over(self.browsers, request)

    def _password(self, request: Request, comer: NewComer, *, problem: str = "", status: int = 200) -> Response:
        return self.browsers.pages.page(
            request,
            "link/new_password.html",
            status=status,
            headers=SECRET_ADDRESS,
            problem=problem,
            username=comer.address,
            ticket="",
            least=self.sign_up.least,
            longest=LONGEST,
            heading="recovery.finish_heading",
            submit="recovery.finish_submit",
        )
