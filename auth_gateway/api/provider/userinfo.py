"""`/userinfo`: the claims of the person whose access token is shown, as a bearer's or with a DPoP proof."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.shown_token import shown_token, token_refused
from auth_gateway.api.provider.token_forms import token_form
from auth_gateway.flows.provider.bearing import Bearing, Untold
from auth_gateway.flows.provider.userinfo import UserInfo
from plumbing.asgi import json_answer
from plumbing.bodies import is_form
from plumbing.refusals import Refused

REALM = "userinfo"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInfoRoutes:
    """The userinfo endpoint; `url` is its published address, which proofs are made for."""

    userinfo: UserInfo
    url: str

    async def answer(self, request: Request) -> Response:
        """The claims as JSON.

        Raises: Refused `invalid_token` or `invalid_dpop_proof` (401), `insufficient_scope` (403), each with the scheme
        that was tried; `unauthorized` (401) without any token, with both schemes and no error in the header, as there
        was nothing to be wrong;
        `invalid_request` (400) for a token in two places; 408 or 413 for a body that is too slow or too large.
        """
        scheme, token = shown_token(request, realm=REALM, in_form=await _in_form(request))
        bearing = Bearing(
            token=token,
            is_bound=scheme == "DPoP",
            proofs=request.headers.getlist("dpop"),
            method=request.method,
            url=self.url,
        )
        try:
            told = await self.userinfo(bearing)
        except Refused as refused:
            if refused.code != "invalid_dpop_proof":
                raise
            told = Untold("invalid_dpop_proof")
        if isinstance(told, Untold):
            raise token_refused(told.error, scheme, scope="openid")
        return json_answer(told)


async def _in_form(request: Request) -> str:
    """The token in a form that was posted, "" without one. The address is never read: it ends in logs and histories.

    Source: RFC 6750, sections 2.2 and 2.3; RFC 9700, section 4.3.2.
    """
    if request.method != "POST" or not is_form(request):
        return ""
    return (await token_form(request)).get("access_token", "")
