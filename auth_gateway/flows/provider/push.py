"""Requests that wait to be fetched by the browser: those an application pushed, and those a browser posted here."""

from dataclasses import dataclass

from auth_gateway.core.provider.authorization import REQUEST_SECONDS, AuthorizationRequest, PushedRequest
from auth_gateway.core.rotation import digest
from auth_gateway.flows.ports import Clock, Randomness
from auth_gateway.flows.provider.ports import Interactions, Proof, SeenOnce
from auth_gateway.flows.provider.visits import Visits
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction

REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:"
"""Source: RFC 9126, section 2.2."""
LONGEST_REQUEST_URI = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRequests:
    """Keeps a request for a minute, and gives it once."""

    database: Database
    clock: Clock
    randomness: Randomness
    interactions: Interactions
    seen_once: SeenOnce
    visits: Visits

    async def keep(self, request: AuthorizationRequest, proof: Proof | None = None, *, left_from: str | None) -> str:
        """The `request_uri` that it can be fetched by; a proof that came with it counts once. `left_from` is the
        address of somebody who proved nothing, None for an application that did.

        Raises: Refused `invalid_dpop_proof` (400); `throttled` (429); "busy" or "storage_unavailable" (503).
        """
        if left_from is not None:
            await self.visits.leave(left_from)
        text = REQUEST_URI_PREFIX + self.randomness.token()
        expires_at = self.clock.now() + REQUEST_SECONDS
        pushed = PushedRequest(request_digest=digest(text), request=request, expires_at=expires_at)

        def write(tx: Transaction) -> None:
            if proof is not None and not self.seen_once.first(tx, proof.replay_digest, proof.expires_at):
                raise Refused("invalid_dpop_proof", "This DPoP proof was used before.", status=400)
            self.interactions.push(tx, pushed)

        await self.database.write(write)
        return text

    async def take(
        self, request_uri: str, *, expected_client_id: str, fetched_from: str
    ) -> AuthorizationRequest | None:
        """The request, once; None when it is unknown, used, too old or another client's."""
        if not request_uri.startswith(REQUEST_URI_PREFIX) or len(request_uri) > LONGEST_REQUEST_URI:
            return None
        now, request_digest = self.clock.now(), digest(request_uri)
        request = await self.database.write(lambda tx: self.interactions.take_pushed(tx, request_digest, now))
        if request is None or request.client_id != expected_client_id:
            return None
        await self.visits.fetch(fetched_from)
        return request
