"""What an application is told of the person whose access token it holds.

Source: OpenID Connect Core 1.0, section 5.3; RFC 6750; RFC 9449, section 7.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from auth_gateway.core.provider.person_claims import named_claims, released
from auth_gateway.core.provider.tokens import VerifiedToken
from auth_gateway.flows.ports import Clients, Users
from auth_gateway.flows.provider.bearing import Bearers, Bearing, Untold
from auth_gateway.flows.provider.standing import TokenStanding
from plumbing.statements import Transaction


class GrantedClaims(Protocol):
    """What applications asked for by the `claims` parameter."""

    def claims_of(self, tx: Transaction, session_id: str, client_id: str) -> str | None:
        """The parameter of the application's latest part in the session, None when there was none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInfo:
    """Answers one request for a person's claims."""

    bearers: Bearers
    standing: TokenStanding
    users: Users
    clients: Clients
    granted: GrantedClaims

    async def __call__(self, bearing: Bearing) -> dict[str, Any] | Untold:
        """The claims.

        Raises: Refused `invalid_dpop_proof`; 503 when the storage cannot remember a proof: fails closed.
        """
        token = await self.bearers(bearing)
        if isinstance(token, Untold):
            return token
        found, now = token, self.bearers.clock.now()
        return self.bearers.database.read(lambda tx: self._told(tx, found, now))

    def _told(self, tx: Transaction, token: VerifiedToken, now: float) -> dict[str, Any] | Untold:
        if not self.standing.in_force(tx, token, now):
            return Untold("invalid_token")
        if not token.is_of_a_person or "openid" not in token.scope.split():
            return Untold("insufficient_scope")
        account = self.users.by_id(tx, token.sub)
        if account is None:
            return Untold("invalid_token")
        named = named_claims(self.granted.claims_of(tx, token.sid, token.client_id), "userinfo")
        client = self.clients.find(tx, token.client_id) if named else None
        return {"sub": token.sub, **released(account, client, scope=token.scope, named=named, by_scope=True)}
