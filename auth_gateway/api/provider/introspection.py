"""`POST /introspect`: whether a token counts at this moment (RFC 7662)."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.clients import FormFields, proven_client
from auth_gateway.api.provider.token_forms import token_form, token_in
from auth_gateway.flows.provider.client_proof import ClientProof, invalid_client
from auth_gateway.flows.provider.introspect import Introspect
from plumbing.asgi import json_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class IntrospectionRoutes:
    """The introspection endpoint."""

    introspect: Introspect
    prove: ClientProof

    async def post_introspect(self, request: Request) -> Response:
        """What the calling application may know of the token; `{"active": false}` for everything else.

        Raises: Refused `invalid_client` (401) for whoever proves nothing, public clients too (section 2.1: or anybody
        could try out what he found); `invalid_request` (400).
        """
        fields = await token_form(request)
        caller = await proven_client(request, FormFields(fields), self.prove)
        if caller.is_public:
            raise invalid_client()
        return json_answer(self.introspect(token_in(fields), caller))
