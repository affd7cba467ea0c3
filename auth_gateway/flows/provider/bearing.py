"""How an access token is shown to the gateway itself, and whether whoever shows it may.

Source: RFC 6750; RFC 9449, section 7.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from auth_gateway.core.provider.tokens import VerifiedToken
from auth_gateway.flows.ports import Clock
from auth_gateway.flows.provider.ports import Proof, ProofChecker, SeenOnce, TokenVerifier
from auth_gateway.flows.provider.standing import TokenStanding
from plumbing.database import Database


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
class Bearers:
    """Reads the token that is shown and checks that whoever shows it holds its key, if it is bound to one."""

    database: Database
    clock: Clock
    verifier: TokenVerifier
    proofs: ProofChecker
    seen_once: SeenOnce

    async def __call__(self, bearing: Bearing) -> VerifiedToken | Untold:
        """The token, whose standing is still to be asked for.

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
        return token

    async def _is_first(self, proof: Proof) -> bool:
        return await self.database.write(lambda tx: self.seen_once.first(tx, proof.replay_digest, proof.expires_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrators:
    """Who may run the gateway through its API: an application by itself, never a person's token, with a token that was
    issued for the gateway (`issuer` is its audience), for an API of nobody else."""

    bearers: Bearers
    standing: TokenStanding
    issuer: str

    async def __call__(self, bearing: Bearing, expected_scope: str) -> VerifiedToken | Untold:
        """The token of whoever may.

        Raises: Refused `invalid_dpop_proof`; 503 when the storage fails.
        """
        token = await self.bearers(bearing)
        if isinstance(token, Untold):
            return token
        found, now = token, self.bearers.clock.now()
        if not self.bearers.database.read(lambda tx: self.standing.in_force(tx, found, now)):
            return Untold("invalid_token")
        if found.aud != self.issuer or found.is_of_a_person:
            return Untold("invalid_token")
        return found if expected_scope in found.scope.split() else Untold("insufficient_scope")
