"""An application gives a token back. A person's token takes the whole session with it, an application's own just
itself.

Source: RFC 7009.
"""

from dataclasses import dataclass

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.context import Client
from auth_gateway.core.provider.tokens import VerifiedToken
from auth_gateway.core.rotation import Verdict, digest, is_plausible, verdict
from auth_gateway.flows.ending import REVOCATION_ENDPOINT, Ending
from auth_gateway.flows.ports import AuditTrail, Clock, Randomness, RefreshTokens
from auth_gateway.flows.provider.ports import RevokedTokens, TokenVerifier
from auth_gateway.flows.provider.standing import TokenStanding
from plumbing.database import Database
from plumbing.statements import Transaction

# A spent token is its client's all the same: whoever lost the answer has no other to give back.
_STILL_LEADS: frozenset[Verdict] = frozenset({"rotate", "retry", "reused"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Takes one token back for the client that it was issued to."""

    database: Database
    clock: Clock
    randomness: Randomness
    verifier: TokenVerifier
    standing: TokenStanding
    refresh_tokens: RefreshTokens
    revoked_tokens: RevokedTokens
    ending: Ending
    audit: AuditTrail

    async def __call__(self, token: str, caller: Client) -> bool:
        """Whether anything ended. Unknown, dead and other clients' tokens change nothing, and cost no write.

        Raises: Refused("busy" or "storage_unavailable", 503): the token is in force still, so the client must know.
        """
        now = self.clock.now()
        event_id = self.randomness.event_id("evt")
        verified = self.verifier.access(token, now)
        if verified is not None:
            if not self.database.read(lambda tx: self._is_in_force(tx, verified, caller, now)):
                return False
            return await self.database.write(lambda tx: self._access(tx, verified, caller, event_id=event_id, now=now))
        if not is_plausible(token) or self.database.read(lambda tx: self._session(tx, token, caller, now)) is None:
            return False
        return await self.database.write(lambda tx: self._refresh(tx, token, caller, event_id=event_id, now=now))

    def _is_in_force(self, tx: Transaction, token: VerifiedToken, caller: Client, now: float) -> bool:
        return token.client_id == caller.client_id and self.standing.in_force(tx, token, now)

    def _access(self, tx: Transaction, token: VerifiedToken, caller: Client, *, event_id: str, now: float) -> bool:
        if not self._is_in_force(tx, token, caller, now):
            return False
        if token.is_of_a_person:
            return self.ending.end(tx, token.sid, reason=REVOCATION_ENDPOINT, event_id=event_id, now=now)
        self.revoked_tokens.add(tx, token.jti, token.exp)
        line = AuditEvent(
            event_id=event_id, ts=now, kind="token.revoked", client_id=caller.client_id, rule=REVOCATION_ENDPOINT
        )
        self.audit.record(tx, line)
        return True

    def _session(self, tx: Transaction, token: str, caller: Client, now: float) -> str | None:
        """The session that this refresh token leads, if it is the caller's and leads one still."""
        presented = self.refresh_tokens.present(tx, digest(token))
        # To give a bound token back needs no key (RFC 9449 asks for none): whoever found it only helps.
        bound_to = None if presented is None else presented.jkt
        judged = verdict(presented, expected_client_id=caller.client_id, now=now, shown_jkt=bound_to)
        return presented.session_id if presented is not None and judged in _STILL_LEADS else None

    def _refresh(self, tx: Transaction, token: str, caller: Client, *, event_id: str, now: float) -> bool:
        session_id = self._session(tx, token, caller, now)
        if session_id is None:
            return False
        return self.ending.end(tx, session_id, reason=REVOCATION_ENDPOINT, event_id=event_id, now=now)
