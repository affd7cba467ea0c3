"""`/par`: an application pushes its request beforehand, past the browser (RFC 9126)."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.clients import FormFields, proven_client
from auth_gateway.api.edge import Edge
from auth_gateway.api.provider.token_forms import token_form
from auth_gateway.core.provider.authorization import REQUEST_SECONDS, AuthorizationRequest
from auth_gateway.core.provider.reply import Parameters, Reading, Understood
from auth_gateway.flows.provider.client_proof import ClientProof
from auth_gateway.flows.provider.ports import Proof, ProofChecker
from auth_gateway.flows.provider.push import PushedRequests
from plumbing.asgi import json_answer
from plumbing.clock import Clock
from plumbing.refusals import Refused

_OF_THE_CLIENT = ("client_secret", "client_assertion", "client_assertion_type")


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """Where the request waits, and how long in seconds; the browser brings it to `/authorize` with the client's id."""

    request_uri: str
    expires_in: int = REQUEST_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRoutes:
    """The pushed authorization request endpoint; `url` is its published address, which proofs are made for."""

    url: str
    read: Callable[[Parameters], Reading]
    prove: ClientProof
    proofs: ProofChecker
    pushed: PushedRequests
    edge: Edge
    clock: Clock

    async def post_par(self, request: Request) -> Response:
        """Read now, by the same rules as at `/authorize`, so that the person is not the one to learn of mistakes.

        Raises: Refused in OAuth's words (400, 401, 413, 415, 429), or 503.
        """
        form = await token_form(request)
        client = await proven_client(request, FormFields(form), self.prove)
        if "request_uri" in form:
            raise Refused("invalid_request", "A pushed request cannot name another one.", status=400)
        asked = {name: value for name, value in form.items() if value and name not in _OF_THE_CLIENT}
        reading = self.read(list({**asked, "client_id": client.client_id}.items()))
        if not isinstance(reading, Understood):
            raise Refused(reading.error, reading.description, status=400)
        proof = self._proof(request)
        left_from = self.edge.address(request) if client.is_public else None
        request_uri = await self.pushed.keep(_bound(reading.request, proof), proof, left_from=left_from)
        return json_answer(Pushed(request_uri=request_uri), status=201)

    def _proof(self, request: Request) -> Proof | None:
        """The key that the code shall be bound to, where the request proves that it holds one.

        Source: RFC 9449, section 10.1.
        """
        if "dpop" not in request.headers:
            return None
        proofs = request.headers.getlist("dpop")
        return self.proofs.check(proofs, method="POST", url=self.url, now=self.clock.now())


def _bound(request: AuthorizationRequest, proof: Proof | None) -> AuthorizationRequest:
    if proof is None:
        return request
    if request.dpop_jkt not in (None, proof.jkt):
        raise Refused("invalid_dpop_proof", "dpop_jkt names another key.", status=400)
    return msgspec.structs.replace(request, dpop_jkt=proof.jkt)
