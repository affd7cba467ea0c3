"""One question about one token: does it count at this moment, and may the asking application know."""

from dataclasses import dataclass

from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.provider.introspection import INACTIVE, Introspection, may_see, of_access, of_refresh
from auth_gateway.core.provider.tokens import VerifiedToken
from auth_gateway.core.rotation import digest, is_plausible, verdict
from auth_gateway.flows.ports import Clock, RefreshTokens
from auth_gateway.flows.provider.ports import TokenVerifier
from auth_gateway.flows.provider.standing import TokenStanding
from plumbing.database import Database
from plumbing.statements import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspect:
    """Answers for access and refresh tokens alike; a hint about the type is not needed, since the two look different.

    `default_audience` is that of refresh families that name none.
    """

    database: Database
    clock: Clock
    issuer: str
    default_audience: str
    verifier: TokenVerifier
    standing: TokenStanding
    refresh_tokens: RefreshTokens

    def __call__(self, token: str, caller: RegisteredClient) -> Introspection:
        """What the caller is told. Unknown, dead and somebody else's tokens have one answer (RFC 7662, section 2.2), so
        that nobody learns by asking which texts are tokens.

        Raises: Refused("storage_unavailable", 503): a resource server must not go on as if it had been told yes.
        """
        now = self.clock.now()
        verified = self.verifier.access(token, now)
        if verified is not None:
            return self.database.read(lambda tx: self._access(tx, verified, caller, now))
        if is_plausible(token):
            return self.database.read(lambda tx: self._refresh(tx, token, caller, now))
        return INACTIVE

    def _access(self, tx: Transaction, token: VerifiedToken, caller: RegisteredClient, now: float) -> Introspection:
        if not may_see(caller, client_id=token.client_id, audience=token.aud):
            return INACTIVE
        return of_access(token, issuer=self.issuer) if self.standing.in_force(tx, token, now) else INACTIVE

    def _refresh(self, tx: Transaction, token: str, caller: RegisteredClient, now: float) -> Introspection:
        presented = self.refresh_tokens.present(tx, digest(token))
        if presented is None:
            return INACTIVE
        audience = presented.audience or self.default_audience
        if not may_see(caller, client_id=presented.client_id, audience=audience):
            return INACTIVE
        # A spent token within its retry window gives its successor again; as a token of its own it is over.
        owner, key = presented.client_id, presented.jkt
        is_alive = verdict(presented, expected_client_id=owner, now=now, shown_jkt=key) == "rotate"
        return of_refresh(presented, issuer=self.issuer) if is_alive else INACTIVE
