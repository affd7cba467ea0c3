"""One refresh: is the token good, is it still this person, then one transaction that spends it. The hottest path."""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.announcement import Announced
from auth_gateway.core.audit import Kind
from auth_gateway.core.context import Client, LoginContext
from auth_gateway.core.decision import Deny
from auth_gateway.core.origin import is_context_unknown
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.rotation import (
    Held,
    Presented,
    Verdict,
    digest,
    is_plausible,
    narrowed,
    successor,
    successor_expires_at,
    verdict,
)
from auth_gateway.core.ruling import is_let_go_on, why_ended
from auth_gateway.core.session import MOST_REFUSALS, SEEN_SECONDS, RefreshToken
from auth_gateway.flows.answers import (
    InvalidGrant,
    IssuedTokens,
    LoginNeeded,
    NotGranted,
    RefreshAnswer,
    Refreshed,
    SessionEnded,
)
from auth_gateway.flows.ending import Ending
from auth_gateway.flows.issue import Issuer
from auth_gateway.flows.ports import Clock, Randomness, RefreshTokens, Users
from auth_gateway.flows.provider.identity import IdTokens, claims_inside
from auth_gateway.flows.provider.ports import Proof, SeenOnce
from auth_gateway.flows.recheck import Recheck, Returning
from auth_gateway.flows.recording import Recorder
from auth_gateway.flows.turn import RecentLines, Refusal, Rotated, Turn, refusal_of
from plumbing.database import Database
from plumbing.statements import Transaction

REUSED = "refresh_token_reused"
REPEATED_RISK = "repeated_risk"

_KINDS: dict[Verdict, Kind] = {"rotate": "token.refreshed", "retry": "token.retried", "reused": "token.reused"}
# The token itself is good, so it is the risk that decides.
_GOOD: frozenset[Verdict] = frozenset({"rotate", "retry"})

__all__ = ["Refresh", "Refusal", "Rotated", "Turn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPart:
    """What refreshes of the provider's families need beside the rest."""

    users: Users
    seen_once: SeenOnce
    id_tokens: IdTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """Answers one refresh. `pepper` is the key that successors are derived under; it is not in the database."""

    database: Database
    clock: Clock
    randomness: Randomness
    pepper: bytes
    issuer: Issuer
    ending: Ending
    refresh_tokens: RefreshTokens
    recorder: Recorder
    recheck: Recheck
    lines: RecentLines
    provider: ProviderPart | None = None

    async def __call__(
        self,
        refresh_token: str,
        client: Client,
        context: LoginContext,
        *,
        scope: str | None = None,
        proof: Proof | None = None,
    ) -> RefreshAnswer:
        """The next pair of tokens; the same next refresh token again when an answer was lost less than 10 s ago.

        `scope` narrows the access token of an application's family, never the family; families of `/login` have one
        scope and take no other. `proof` is the key that the access token is bound to.

        Raises: Refused("busy" or "storage_unavailable", 503).
        """
        if not is_plausible(refresh_token):
            return InvalidGrant("unknown")
        now = self.clock.now()
        held = self.database.read(lambda tx: self.refresh_tokens.hold(tx, digest(refresh_token)))
        shown_jkt = None if proof is None else proof.jkt
        judged = verdict(held, expected_client_id=client.client_id, now=now, shown_jkt=shown_jkt)
        if held is None:
            return InvalidGrant(judged)
        if _is_refused(judged) and not self.lines.is_due((held.family_id, judged), now):
            return refusal_of(judged)
        granted = held.scope if held.kind == "login" else narrowed(held.scope, scope)
        if granted is None and judged in _GOOD:
            return NotGranted("invalid_scope")
        turn = Turn(
            refresh_token=refresh_token,
            client_id=client.client_id,
            context=None if is_context_unknown(held.origin, context, client) else context,
            event_id=self.randomness.event_id("evt"),
            now=now,
            scope=granted or "",
            refresh_seconds=self.issuer.lifetimes_of(client).refresh_seconds,
            proof=proof,
        )
        if judged in _GOOD:
            turn = await self._ruled(turn, held, client, context)
        outcome = await self.database.write(lambda tx: self.rotate(tx, turn))
        return self._answer(outcome, turn, client) if isinstance(outcome, Rotated) else outcome

    def rotate(self, tx: Transaction, turn: Turn) -> Rotated | Refusal:
        """The whole refresh inside a transaction. A proof counts once, whatever becomes of the token."""
        proof, provider = turn.proof, self.provider
        if proof is None or provider is None or provider.seen_once.first(tx, proof.replay_digest, proof.expires_at):
            return self._rotate(tx, turn)
        return NotGranted("invalid_dpop_proof")

    def _rotate(self, tx: Transaction, turn: Turn) -> Rotated | Refusal:
        """What is presented is judged again if someone spent it first."""
        token_digest = digest(turn.refresh_token)
        presented = self.refresh_tokens.present(tx, token_digest)
        judged = verdict(presented, expected_client_id=turn.client_id, now=turn.now, shown_jkt=turn.shown_jkt)
        if presented is None:
            return InvalidGrant(judged)
        if judged in _GOOD and not is_let_go_on(turn.ruling):
            return self._refuse(tx, turn, presented)
        outcome: Rotated | Refusal = refusal_of(judged)
        if judged == "rotate":
            spent = self._spend(tx, presented, turn, token_digest=token_digest)
            if spent is None:
                return self._rotate(tx, turn)
            outcome = spent
        elif judged == "retry":
            outcome = self._repeat(presented, turn)
        elif judged == "reused":
            self._end(tx, presented, turn, reason=REUSED)
        if _is_refused(judged):
            self._note(tx, msgspec.structs.replace(turn, ruling=None), presented, why=judged)
            return outcome
        kind = _KINDS[judged]
        judged_turn = turn if judged in _GOOD else msgspec.structs.replace(turn, ruling=None)
        line = judged_turn.line(kind, presented, rule=None if kind == "token.refreshed" else judged)
        self.recorder.audit.record(tx, line)
        return outcome

    async def _ruled(self, turn: Turn, held: Held, client: Client, context: LoginContext) -> Turn:
        """The turn with what the risk says of it."""
        returning = Returning(
            event_id=turn.event_id,
            user_id=held.user_id,
            client=client,
            context=context,
            origin=held.origin,
            has_key=held.jkt is not None,
            username=held.username,
            login_score=held.login_score,
            amr=tuple(held.amr.split()),
            acr=held.acr,
            risk=held.risk,
        )
        ruling = await self.recheck.refresh(returning, held.session_id, turn.now)
        turn = msgspec.structs.replace(turn, ruling=ruling)
        is_denied = isinstance(ruling.decision, Deny)
        # Without a score a challenge is the scorer's absence, and that ends no session.
        if is_let_go_on(ruling) or (ruling.level is None and not is_denied):
            return turn
        rule = ruling.decision.rule if is_denied else REPEATED_RISK
        incident_id = self.randomness.event_id("inc")
        line = turn.line("token.denied", held, rule=None if is_denied else rule)
        line = msgspec.structs.replace(line, decision="deny", incident_id=incident_id)
        announced = Announced(
            event_id=turn.event_id,
            user_id=held.user_id,
            username=held.username,
            rule=rule,
            incident_id=incident_id,
        )
        ended = self.recorder.session_ended(line, announced, context, ruling.score, whatever_the_score=not is_denied)
        return msgspec.structs.replace(turn, ended=ended, incident_id=incident_id)

    def _refuse(self, tx: Transaction, turn: Turn, presented: Presented) -> Refusal:
        """A good token that the risk holds back. It is not spent: where nothing has changed, it still works."""
        if turn.ruling is None:  # good only since we looked, so nobody has asked about the risk
            self.recorder.audit.record(tx, turn.line("token.refused", presented, rule="changed_meanwhile"))
            return InvalidGrant("changed_meanwhile")
        if turn.ended is None:
            self._note(tx, turn, presented, why=turn.ruling.decision.rule)
            return LoginNeeded(turn.ruling.decision.rule)
        reason = why_ended(turn.ruling.decision.rule)
        if not isinstance(turn.ruling.decision, Deny):
            refusals = self.refresh_tokens.count_refusal(tx, presented.family_id, now=turn.now)
            if refusals == 1:
                self.recorder.audit.record(tx, turn.line("token.refused", presented, rule=None))
            if refusals < MOST_REFUSALS:
                return LoginNeeded(turn.ruling.decision.rule)
            reason = REPEATED_RISK
        self._end(tx, presented, turn, reason=reason)
        self.recorder.write(tx, turn.ended)
        return SessionEnded(incident_id=turn.incident_id)

    def _note(self, tx: Transaction, turn: Turn, presented: Presented, *, why: str) -> None:
        """One line a minute for what a family is refused for."""
        key = (presented.family_id, why)
        if self.lines.is_due(key, turn.now):
            self.lines.written(key, turn.now)
            self.recorder.audit.record(tx, turn.line("token.refused", presented, rule=why))

    def _end(self, tx: Transaction, presented: Presented, turn: Turn, *, reason: str) -> None:
        self.refresh_tokens.revoke_family(tx, presented.family_id, now=turn.now)
        self.ending.end(tx, presented.session_id, reason=reason, event_id=turn.event_id, now=turn.now)

    def _spend(self, tx: Transaction, presented: Presented, turn: Turn, *, token_digest: bytes) -> Rotated | None:
        """Spend the token and add its successor; None when another transaction spent it after we looked."""
        rotated = self._repeat(presented, turn)
        successor_digest = digest(rotated.refresh_text)
        if not self.refresh_tokens.use(tx, token_digest, successor_digest=successor_digest, now=turn.now):
            return None
        if turn.now - presented.session_seen_at >= SEEN_SECONDS:
            self.issuer.sessions.see(tx, presented.session_id, turn.now)
        self.refresh_tokens.add(
            tx,
            RefreshToken(
                token_digest=successor_digest,
                family_id=presented.family_id,
                issued_at=turn.now,
                expires_at=rotated.expires_at,
            ),
        )
        return rotated

    def _repeat(self, presented: Presented, turn: Turn) -> Rotated:
        """The successor of a token that is spent now or was spent a moment ago: the same each time it is asked for."""
        seconds = turn.refresh_seconds
        expires_at = successor_expires_at(
            used_at=turn.now if presented.used_at is None else presented.used_at,
            refresh_seconds=self.issuer.lifetimes.refresh_seconds if seconds is None else seconds,
            session_expires_at=presented.session_expires_at,
        )
        return Rotated(presented, successor(self.pepper, turn.refresh_token, presented.family_id), expires_at)

    def _answer(self, rotated: Rotated, turn: Turn, client: Client) -> Refreshed:
        presented = rotated.presented
        tokens = self.issuer.pair(
            user_id=presented.user_id,
            client_id=presented.client_id,
            session_id=presented.session_id,
            authentication=presented.authentication,
            refresh_text=rotated.refresh_text,
            refresh_expires_at=rotated.expires_at,
            access_token_id=self.randomness.uuid(),
            now=turn.now,
            access_seconds=self.issuer.lifetimes_of(client).access_seconds,
            scope=turn.scope,
            audience=presented.audience,
            jkt=turn.shown_jkt,
        )
        if presented.kind != "login" and "openid" in turn.scope.split() and isinstance(client, RegisteredClient):
            tokens = self._with_id_token(tokens, presented, turn, client)
        return Refreshed(session_id=presented.session_id, tokens=tokens)

    def _with_id_token(
        self, tokens: IssuedTokens, presented: Presented, turn: Turn, client: RegisteredClient
    ) -> IssuedTokens:
        """The same authentication told again, without the nonce (OpenID Connect Core 1.0, section 12.2)."""
        provider, claims = self.provider, presented.claims
        if provider is None:
            return tokens
        account = None
        if claims is not None:
            account = self.database.read(lambda tx: provider.users.by_id(tx, presented.user_id))
        id_token = provider.id_tokens.encode(
            client=client,
            user_id=presented.user_id,
            session_id=presented.session_id,
            authentication=presented.authentication,
            access_token=tokens.access_token,
            now=turn.now,
            more=claims_inside(account, client, scope=turn.scope, claims=claims),
        )
        return msgspec.structs.replace(tokens, id_token=id_token)


def _is_refused(judged: Verdict) -> bool:
    """Whether this verdict changes nothing: the token is dead, or not this client's."""
    return judged not in _KINDS
