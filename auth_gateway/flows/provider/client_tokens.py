"""An application acts for itself (client credentials): one durable line, one token. As lean as a refresh.

Source: RFC 6749, section 4.4; RFC 9068.
"""

from dataclasses import dataclass

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.claims import confirmation, token_type
from auth_gateway.core.provider.client import OPENID_SCOPES, RegisteredClient
from auth_gateway.core.provider.tokens import ClientClaims
from auth_gateway.flows.answers import AccessAlone, GrantAnswer, Issued, NotGranted
from auth_gateway.flows.issue import Issuer
from auth_gateway.flows.ports import AuditTrail, Clock, Randomness
from auth_gateway.flows.provider.ports import Proof, ProviderCodec, SeenOnce
from plumbing.database import Database
from plumbing.statements import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTokens:
    """Answers one request of an application for a token of its own."""

    database: Database
    clock: Clock
    randomness: Randomness
    issuer: Issuer
    codec: ProviderCodec
    audit: AuditTrail
    seen_once: SeenOnce

    async def __call__(self, client: RegisteredClient, *, scope: str | None, proof: Proof | None) -> GrantAnswer:
        """An access token, and nothing to refresh it with. What OpenID means by its scopes needs a person.

        Raises: Refused("busy" or "storage_unavailable", 503).
        """
        if client.is_public:  # whoever reads its id could ask in its name
            return NotGranted("unauthorized_client")
        granted = own_scope(client, scope)
        if scope and not granted:
            return NotGranted("invalid_scope")
        now = self.clock.now()
        line = AuditEvent(
            event_id=self.randomness.event_id("evt"),
            ts=now,
            kind="token.issued",
            client_id=client.client_id,
            detail="client_credentials",
        )

        def write(tx: Transaction) -> bool:
            if proof is not None and not self.seen_once.first(tx, proof.replay_digest, proof.expires_at):
                return False
            self.audit.record(tx, line)
            return True

        if not await self.database.write(write):
            return NotGranted("invalid_dpop_proof")
        return Issued(tokens=self._token(client, granted, now, None if proof is None else proof.jkt))

    def _token(self, client: RegisteredClient, scope: str, now: float, jkt: str | None) -> AccessAlone:
        audience = self.issuer.audience_of(client.audience)
        ttl_seconds = self.issuer.lifetimes_of(client).access_seconds
        issued_at = int(now)
        claims = ClientClaims(
            iss=audience.issuer,
            sub=client.client_id,
            aud=audience.audience,
            exp=issued_at + ttl_seconds,
            iat=issued_at,
            jti=self.randomness.uuid(),
            client_id=client.client_id,
            scope=scope,
            cnf=confirmation(jkt),
        )
        token = self.codec.encode_client(claims)
        return AccessAlone(access_token=token, expires_in=ttl_seconds, scope=scope, token_type=token_type(jkt))


def own_scope(client: RegisteredClient, asked: str | None) -> str:
    """What of it the application gets for itself; all that it is registered for when it asks for nothing."""
    wanted = client.scopes if not asked else client.allowed_scope(asked).split()
    return " ".join(scope for scope in wanted if scope not in OPENID_SCOPES)
