"""The second half of a login: one code for one challenge. Counting the try and spending code and challenge are one
transaction, so that of any number of simultaneous requests exactly one wins; what the winner gets is `completion`'s.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import Factor
from auth_gateway.core.context import Client, LoginContext, login_event
from auth_gateway.core.pending import PendingLogin, obstacle
from auth_gateway.core.rotation import digest, is_plausible
from auth_gateway.core.throttle import factor_keys, network_key
from auth_gateway.core.totp import matching_step
from auth_gateway.flows.answers import ChallengeOver, CompletionAnswer, LetIn, Throttled, WrongCode
from auth_gateway.flows.completion import Answered, Completion
from auth_gateway.flows.entrance import Entrance
from auth_gateway.flows.ports import Clock, Factors, PendingLogins, Randomness, Reservation, Sealer, Throttle, Users
from auth_gateway.flows.recording import Entry, Recorder
from plumbing.database import Database
from plumbing.statements import Transaction
from risk_scorer.contract.events import LoginEvent

TOTP_PURPOSE = "totp-secret"


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One code presented for one challenge, with what is written when it is wrong."""

    answered: Answered
    factor_id: str
    secret: str
    code: str
    failed: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteLogin:
    """Answers one code."""

    database: Database
    clock: Clock
    randomness: Randomness
    throttle: Throttle
    vault: Sealer
    users: Users
    factors: Factors
    pending_logins: PendingLogins
    recorder: Recorder
    completion: Completion

    async def __call__(
        self,
        challenge_token: str,
        code: str,
        client: Client,
        context: LoginContext,
        *,
        entrance: Entrance | None = None,
    ) -> CompletionAnswer:
        """Tokens (or what another `entrance` gives) for the right code, once; the same `ChallengeOver` for whatever is
        no challenge to be tried.

        Only a right code is worth a score, and it is spent before it gets one: whatever the risk says, it was used.

        Raises: Refused("storage_unavailable", 503).
        """
        now = self.clock.now()
        found = self._find(challenge_token)
        if found is None or obstacle(found[0], expected_client_id=client.client_id, now=now) is not None:
            return ChallengeOver()
        pending, factor = found
        reservation = await self.throttle.reserve(factor_keys(pending.user_id), now)
        if reservation.wait_seconds > 0:
            return Throttled(retry_after_seconds=reservation.wait_seconds)
        answered = Answered(
            event_id=self.randomness.event_id("evt"), now=now, pending=pending, client=client, context=context
        )
        attempt = self._prepare(answered, factor, code)
        try:
            refusal = await self.database.write(lambda tx: self._try(tx, attempt))
        except Exception:
            await self.throttle.refund(reservation)
            raise
        if isinstance(refusal, WrongCode):
            return refusal
        await self.throttle.refund(reservation)  # whoever came second with the right code has not guessed either
        if refusal is not None:
            return refusal
        answer = await self.completion(answered, entrance)
        if isinstance(answer, LetIn):
            network = network_key(pending.login.ip)
            await self.throttle.refund(Reservation(keys=(network,), at=pending.created_at))
        return answer

    def _find(self, challenge_token: str) -> tuple[PendingLogin, Factor] | None:
        if not is_plausible(challenge_token):
            return None

        def read(tx: Transaction) -> tuple[PendingLogin, Factor] | None:
            pending = self.pending_logins.find(tx, digest(challenge_token))
            factor = self.factors.find(tx, pending.user_id) if pending else None
            return (pending, factor) if pending and factor else None

        return self.database.read(read)

    def _prepare(self, answered: Answered, factor: Factor, code: str) -> Try:
        return Try(
            answered=answered,
            factor_id=factor.factor_id,
            secret=self.vault.open(factor.sealed_secret, TOTP_PURPOSE).decode(),
            code=code,
            failed=self.recorder.outcome(answered.line("challenge.failed"), _failure(answered), "mfa_failed"),
        )

    def _try(self, tx: Transaction, attempt: Try) -> WrongCode | ChallengeOver | None:
        """None when the code was right; it and its challenge are spent then. The try is counted before the code is
        looked at."""
        pending, now = attempt.answered.pending, attempt.answered.now
        if not self.pending_logins.count_attempt(tx, pending.token_digest, client_id=pending.client_id, now=now):
            return ChallengeOver()
        if not self.users.is_still(tx, pending.user_id, pending.password_version):
            self.pending_logins.consume(tx, pending.token_digest, now)
            return ChallengeOver()
        factor = self.factors.find(tx, pending.user_id)
        last_used_step = factor.last_used_step if factor else 0
        step = matching_step(attempt.secret, attempt.code, now, last_used_step)
        if step is None or not self.factors.use_step(tx, attempt.factor_id, step):
            self.recorder.write(tx, attempt.failed)
            left = self.pending_logins.find(tx, pending.token_digest)
            return WrongCode(attempts_left=left.attempts_left if left else 0)
        self.pending_logins.consume(tx, pending.token_digest, now)
        return None


def _failure(answered: Answered) -> LoginEvent:
    """What the scorer learns of a wrong code: where it was typed, or where the challenge was issued to when that is
    not known."""
    pending, context = answered.pending, answered.context
    if not context.ip or answered.is_context_unknown:
        return pending.login
    return login_event(context, event_id=answered.event_id, user_id=pending.user_id, success=False, kind="step_up")
