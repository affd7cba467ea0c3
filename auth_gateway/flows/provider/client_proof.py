"""Which application is asking, and has it proven that it is the one? Each is held to the method that it is registered
with; what it may do is written in its registration, never in the request.

Source: RFC 6749, section 2.3; RFC 7523, section 2.2.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.provider.client import AuthMethod, RegisteredClient
from auth_gateway.flows.ports import Clients, Clock
from auth_gateway.flows.provider.ports import AssertionChecker, SeenOnce
from plumbing.database import Database
from plumbing.refusals import Refused

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523, section 2.2."""

_BASIC = {"www-authenticate": 'Basic realm="clients", charset="UTF-8"'}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a request shows of its client, unbelieved: one way to prove itself at most. `client_id` is None where only
    the assertion names it."""

    client_id: str | None
    secret_digest: bytes | None = None
    assertion: str | None = None

    @property
    def method(self) -> AuthMethod:
        """The way that was tried."""
        if self.secret_digest is not None:
            return "client_secret_basic"
        return "none" if self.assertion is None else "private_key_jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientProof:
    """Finds the registration and holds the request to it: one look-up, and for an assertion one write."""

    database: Database
    clock: Clock
    clients: Clients
    seen_once: SeenOnce
    assertions: AssertionChecker

    async def __call__(self, shown: Shown) -> RegisteredClient:
        """The application that is calling.

        Raises: Refused `invalid_client` (401), the same for an unknown client and a wrong proof; 503 when the storage
        cannot remember an assertion: fails closed, nobody is let in twice by it.
        """
        if shown.assertion is not None:
            return await self._by_assertion(shown, shown.assertion)
        client = self._found(shown)
        if client is None or client.token_endpoint_auth_method != shown.method:
            raise invalid_client(tried_basic=shown.secret_digest is not None)
        return client

    def _found(self, shown: Shown) -> RegisteredClient | None:
        client_id, secret_digest = shown.client_id, shown.secret_digest
        if client_id is None:
            return None
        if secret_digest is None:
            return self.database.read(lambda tx: self.clients.find(tx, client_id))
        now = self.clock.now()
        return self.database.read(lambda tx: self.clients.authenticate(tx, client_id, secret_digest, now))

    async def _by_assertion(self, shown: Shown, assertion: str) -> RegisteredClient:
        """An assertion counts once, whatever becomes of the request: one that was seen on the way is worth nothing."""
        claimed = self.assertions.claimed_client(assertion)
        if claimed is None or (shown.client_id is not None and shown.client_id != claimed):
            raise invalid_client()
        client = self.database.read(lambda tx: self.clients.find(tx, claimed))
        if client is None or client.token_endpoint_auth_method != shown.method:
            raise invalid_client()
        try:
            proven = self.assertions.check(assertion, client=client, now=self.clock.now())
        except Refused:
            raise invalid_client() from None
        is_first = await self.database.write(
            lambda tx: self.seen_once.first(tx, proven.replay_digest, proven.expires_at)
        )
        if not is_first:
            raise invalid_client()
        return client


def invalid_client(*, tried_basic: bool = False) -> Refused:
    """Source: RFC 6749, section 5.2."""
    return Refused(
        "invalid_client",
        "The client is unknown, or it did not prove itself as it is registered to.",
        status=401,
        headers=_BASIC if tried_basic else {},
    )
