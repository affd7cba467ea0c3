"""One refresh: judge the token, spend it, give its successor, all in one writer transaction. The hottest path here."""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.context import Client
from auth_gateway.core.rotation import (
    Presented,
    Verdict,
    digest,
    is_plausible,
    successor,
    successor_expires_at,
    verdict,
)
from auth_gateway.core.session import RefreshToken
from auth_gateway.flows.answers import InvalidGrant, RefreshAnswer, Refreshed
from auth_gateway.flows.issue import Issuer
from auth_gateway.flows.ports import AuditTrail, Clock, Randomness, RefreshTokens, Sessions
from plumbing.database import Database
from plumbing.statements import Transaction

REUSED = "refresh_token_reused"

_KINDS: dict[Verdict, Kind] = {"rotate": "token.refreshed", "retry": "token.retried", "reused": "token.reused"}


class Rotated(msgspec.Struct, frozen=True):
    """A refresh that was granted: the family's state and the token that now leads it."""

    presented: Presented
    refresh_text: str
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """Answers one refresh. `pepper` is the key that successors are derived under; it is not in the database."""

    database: Database
    clock: Clock
    randomness: Randomness
    pepper: bytes
    issuer: Issuer
    sessions: Sessions
    refresh_tokens: RefreshTokens
    audit: AuditTrail

    async def __call__(self, refresh_token: str, client: Client) -> RefreshAnswer:
        """The next pair of tokens; the same next refresh token again when an answer was lost less than 10 s ago.

        Raises: Refused("busy" or "storage_unavailable", 503).
        """
        if not is_plausible(refresh_token):
            return InvalidGrant("unknown")
        now = self.clock.now()
        event_id = self.randomness.event_id("evt")
        access_token_id = self.randomness.uuid()
        outcome = await self.database.write(
            lambda tx: self.rotate(tx, refresh_token, client_id=client.client_id, event_id=event_id, now=now)
        )
        if isinstance(outcome, InvalidGrant):
            return outcome
        presented = outcome.presented
        tokens = self.issuer.pair(
            user_id=presented.user_id,
            client_id=presented.client_id,
            session_id=presented.session_id,
            authentication=presented.authentication,
            refresh_text=outcome.refresh_text,
            refresh_expires_at=outcome.expires_at,
            access_token_id=access_token_id,
            now=now,
        )
        return Refreshed(session_id=presented.session_id, tokens=tokens)

    def rotate(
        self, tx: Transaction, refresh_token: str, *, client_id: str, event_id: str, now: float
    ) -> Rotated | InvalidGrant:
        """The whole refresh inside a transaction; what is presented is judged again if someone spent it first."""
        token_digest = digest(refresh_token)
        presented = self.refresh_tokens.present(tx, token_digest)
        judged = verdict(presented, expected_client_id=client_id, now=now)
        if presented is None:
            return InvalidGrant(judged)
        outcome: Rotated | InvalidGrant = InvalidGrant(judged)
        if judged == "rotate":
            spent = self._spend(tx, presented, refresh_token, token_digest=token_digest, now=now)
            if spent is None:
                return self.rotate(tx, refresh_token, client_id=client_id, event_id=event_id, now=now)
            outcome = spent
        elif judged == "retry":
            outcome = self._repeat(presented, refresh_token, now=now)
        elif judged == "reused":
            self.refresh_tokens.revoke_family(tx, presented.family_id, now=now)
            self.sessions.revoke(tx, presented.session_id, now=now, reason=REUSED)
        self.audit.record(tx, _line(judged, presented, event_id=event_id, client_id=client_id, now=now))
        return outcome

    def _spend(
        self, tx: Transaction, presented: Presented, refresh_token: str, *, token_digest: bytes, now: float
    ) -> Rotated | None:
        """Spend the token and add its successor; None when another transaction spent it after we looked."""
        rotated = self._repeat(presented, refresh_token, now=now)
        successor_digest = digest(rotated.refresh_text)
        if not self.refresh_tokens.use(tx, token_digest, successor_digest=successor_digest, now=now):
            return None
        self.refresh_tokens.add(
            tx,
            RefreshToken(
                token_digest=successor_digest,
                family_id=presented.family_id,
                issued_at=now,
                expires_at=rotated.expires_at,
            ),
        )
        return rotated

    def _repeat(self, presented: Presented, refresh_token: str, *, now: float) -> Rotated:
        """The successor of a token that is spent now or was spent a moment ago: the same each time it is asked for."""
        expires_at = successor_expires_at(
            used_at=now if presented.used_at is None else presented.used_at,
            refresh_seconds=self.issuer.lifetimes.refresh_seconds,
            session_expires_at=presented.session_expires_at,
        )
        return Rotated(presented, successor(self.pepper, refresh_token, presented.family_id), expires_at)


def _line(judged: Verdict, presented: Presented, *, event_id: str, client_id: str, now: float) -> AuditEvent:
    kind = _KINDS.get(judged, "token.refused")
    return AuditEvent(
        event_id=event_id,
        ts=now,
        kind=kind,
        user_id=presented.user_id,
        client_id=client_id,
        session_id=presented.session_id,
        rule=None if kind == "token.refreshed" else judged,
    )
