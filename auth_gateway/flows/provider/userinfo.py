"""What an application is told of the person whose access token it holds.

Source: OpenID Connect Core 1.0, section 5.3; RFC 6750; RFC 9449, section 7.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

from auth_gateway.core.provider.person_claims import named_claims, released
from auth_gateway.core.provider.tokens import VerifiedToken
from auth_gateway.flows.ports import Clients, Clock, Users
from auth_gateway.flows.provider.ports import Proof, ProofChecker, SeenOnce, TokenVerifier
from auth_gateway.flows.provider.standing import TokenStanding
from plumbing.database import Database
from plumbing.statements import Transaction


class GrantedClaims(Protocol):
    """What applications asked for by the `claims` parameter."""

    def claims_of(self, tx: Transaction, session_id: str, client_id: str) -> str | None:
        """The parameter of the application's latest part in the session, None when there was none."""
        ...


class Bearing(msgspec.Struct, frozen=True, kw_only=True):
    """How the token was presented: `is_bound` by the DPoP scheme, `proofs` every such header of the request."""

    token: str
    is_bound: bool
    proofs: Sequence[str]
    method: str
    url: str


class Untold(msgspec.Struct, frozen=True):
    """Nothing is told, for that reason."""

    error: Literal["invalid_token", "insufficient_scope", "invalid_dpop_proof"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserInfo:
    """Answers one request for a person's claims."""

    database: Database
    clock: Clock
    verifier: TokenVerifier
    proofs: ProofChecker
    standing: TokenStanding
    users: Users
    clients: Clients
    granted: GrantedClaims
    seen_once: SeenOnce

    async def __call__(self, bearing: Bearing) -> dict[str, Any] | Untold:
        """The claims.

        Raises: Refused `invalid_dpop_proof`; 503 when the storage cannot remember a proof: fails closed.
        """
        now = self.clock.now()
        token = self.verifier.access(bearing.token, now)
        # A bound token as a bearer's is what a thief without the key would try.
        if token is None or bearing.is_bound != (token.jkt is not None):
            return Untold("invalid_token")
        if bearing.is_bound:
            proof = self.proofs.check(
                bearing.proofs, method=bearing.method, url=bearing.url, now=now, access_token=bearing.token
            )
            if proof.jkt != token.jkt:
                return Untold("invalid_token")
            if not await self._is_first(proof):
                return Untold("invalid_dpop_proof")
        return self.database.read(lambda tx: self._told(tx, token, now))

    async def _is_first(self, proof: Proof) -> bool:
        return await self.database.write(lambda tx: self.seen_once.first(tx, proof.replay_digest, proof.expires_at))

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
