"""`/userinfo`: the claims of the person whose access token is shown, as a bearer's or with a DPoP proof."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.provider.token_forms import token_form
from auth_gateway.flows.provider.userinfo import Bearing, Untold, UserInfo
from plumbing.asgi import json_answer
from plumbing.bodies import is_form
from plumbing.refusals import Refused

LONGEST_ACCESS_TOKEN = 8_192
DPOP_ALGORITHMS = "ES256 RS256 PS256 EdDSA Ed25519"

_TEXTS = {
    "invalid_token": "The access token is invalid, expired, revoked or shown in the wrong way.",
    "insufficient_scope": "This access token does not open a person's claims.",
    "invalid_dpop_proof": "The DPoP proof is missing, invalid or was used before.",
}


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
        scheme, token = _shown(request, await _in_form(request))
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
            raise _refused(told.error, scheme)
        return json_answer(told)


async def _in_form(request: Request) -> str:
    """The token in a form that was posted, "" without one. The address is never read: it ends in logs and histories.

    Source: RFC 6750, sections 2.2 and 2.3; RFC 9700, section 4.3.2.
    """
    if request.method != "POST" or not is_form(request):
        return ""
    return (await token_form(request)).get("access_token", "")


def _shown(request: Request, in_form: str) -> tuple[str, str]:
    """Scheme and token; what comes in a form is a bearer's, since DPoP is a scheme of the header alone."""
    headers = request.headers.getlist("authorization")
    if in_form and headers:  # RFC 6750, section 2: one way for each request
        raise Refused("invalid_request", "Show the access token once.", status=400)
    if in_form:
        headers = [f"Bearer {in_form}"]
    if not headers:
        challenge = f'Bearer realm="userinfo", DPoP algs="{DPOP_ALGORITHMS}"'
        # RFC 6750, section 3.1: who shows nothing is told how to, and of no error of a token.
        raise Refused("unauthorized", "Show an access token.", status=401, headers={"www-authenticate": challenge})
    scheme, _, token = headers[0].partition(" ")
    known = {"bearer": "Bearer", "dpop": "DPoP"}.get(scheme.lower())
    token = token.strip()
    if len(headers) > 1 or known is None or not token or len(token) > LONGEST_ACCESS_TOKEN:
        raise _refused("invalid_token", known or "Bearer")
    return known, token


def _refused(error: str, scheme: str) -> Refused:
    """Source: RFC 6750, section 3; RFC 9449, section 7.1."""
    algorithms = f', algs="{DPOP_ALGORITHMS}"' if scheme == "DPoP" else ""
    wanted = ', scope="openid"' if error == "insufficient_scope" else ""
    challenge = f'{scheme} error="{error}"{wanted}{algorithms}'
    status = 403 if error == "insufficient_scope" else 401
    return Refused(error, _TEXTS[error], status=status, headers={"www-authenticate": challenge})
