"""The door of the admin addresses: an access token of the right scope, or an answer that says how to get one."""

from dataclasses import dataclass

from starlette.requests import Request

from auth_gateway.api.provider.shown_token import shown_token, token_refused
from auth_gateway.core.provider.client import AdminScope
from auth_gateway.flows.provider.bearing import Administrators, Bearing, Untold
from plumbing.refusals import Refused

REALM = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminGate:
    """Lets applications in that were registered for what they ask. Where access tokens are signed with a secret that
    others hold to verify them, nobody is let in: each of them could make a token for this."""

    administrators: Administrators
    issuer: str
    has_own_key: bool

    async def __call__(self, request: Request, scope: AdminScope) -> str:
        """The application that asks, for the audit trail.

        Raises: Refused `unauthorized`, `invalid_token` or `invalid_dpop_proof` (401), `insufficient_scope` (403), each
        with what RFC 6750 asks for; `admin_closed` (403); 503 when the storage fails: fails closed.
        """
        if not self.has_own_key:
            text = (
                "Access tokens are signed with JWT_SECRET here, so anybody who verifies them could make one for this."
            )
            raise Refused("admin_closed", text, status=403)
        scheme, token = shown_token(request, realm=REALM)
        bearing = Bearing(
            token=token,
            is_bound=scheme == "DPoP",
            proofs=request.headers.getlist("dpop"),
            method=request.method,
            url=self.issuer + request.url.path,
        )
        try:
            shown = await self.administrators(bearing, scope)
        except Refused as refused:
            if refused.code != "invalid_dpop_proof":
                raise
            shown = Untold("invalid_dpop_proof")
        if isinstance(shown, Untold):
            raise token_refused(shown.error, scheme, scope=scope)
        return shown.client_id
