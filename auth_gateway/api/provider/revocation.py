"""`POST /revoke`: an application gives a token back (RFC 7009)."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.clients import PUBLIC, FormFields, shown_client
from auth_gateway.api.provider.token_forms import token_form, token_in
from auth_gateway.flows.provider.client_proof import ClientProof
from auth_gateway.flows.provider.revocation import Revocation


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationRoutes:
    """The revocation endpoint."""

    revocation: Revocation
    prove: ClientProof
    wake_delivery: Callable[[], None]

    async def post_revoke(self, request: Request) -> Response:
        """200 without a body whatever became of the token (section 2.2): the client wanted it dead, and it is.

        `token_type_hint` is not needed: access and refresh tokens look different. Who names no client is the public one
        of the JSON `/login`, whose tokens prove themselves.

        Raises: Refused `invalid_client` (401), `invalid_request` (400).
        """
        fields = await token_form(request)
        shown = shown_client(request, FormFields(fields))
        caller = PUBLIC if shown is None else await self.prove(shown)
        if await self.revocation(token_in(fields), caller):
            self.wake_delivery()
        return Response(status_code=200)
