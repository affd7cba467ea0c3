"""The second half of a login: one code for one challenge. Counting the try, spending the code and letting in are one
transaction, so that of any number of simultaneous requests exactly one wins.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.account import Factor
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.claims import by_password_and_code
from auth_gateway.core.context import Client
from auth_gateway.core.pending import PendingLogin, obstacle
from auth_gateway.core.rotation import digest, is_plausible
from auth_gateway.core.throttle import factor_keys, network_key
from auth_gateway.core.totp import matching_step
from auth_gateway.flows.answers import Allowed, ChallengeOver, CompletionAnswer, Throttled, WrongCode
from auth_gateway.flows.issue import Grant, Issuer
from auth_gateway.flows.ports import Clock, Factors, PendingLogins, Randomness, Reservation, Sealer, Throttle, Users
from auth_gateway.flows.recording import Entry, Recorder
from plumbing.database import Database
from plumbing.statements import Transaction
from risk_scorer.contract.events import LoginEvent

TOTP_PURPOSE = "totp-secret"


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One code presented for one challenge, with everything drawn that either end of it needs."""

    pending: PendingLogin
    factor_id: str
    secret: str
    code: str
    now: float
    grant: Grant
    passed: Entry
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
    issuer: Issuer
    recorder: Recorder

    async def __call__(self, challenge_token: str, code: str, client: Client) -> CompletionAnswer:
        """Tokens for the right code, once; the same `ChallengeOver` for whatever is no challenge to be tried.

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
        attempt = self._prepare(pending, factor, code, now)
        try:
            answer = await self.database.write(lambda tx: self._try(tx, attempt))
        except Exception:
            await self.throttle.refund(reservation)
            raise
        if isinstance(answer, WrongCode):
            return answer
        await self.throttle.refund(reservation)  # whoever came second with the right code has not guessed either
        if answer is not None:
            return answer
        await self.throttle.refund(
            Reservation(keys=(network_key(attempt.grant.session.ip),), at=attempt.pending.created_at)
        )
        session = attempt.grant.session
        tokens = self.issuer.tokens(attempt.grant)
        return Allowed(session_id=session.session_id, user_id=session.user_id, tokens=tokens)

    def _find(self, challenge_token: str) -> tuple[PendingLogin, Factor] | None:
        if not is_plausible(challenge_token):
            return None

        def read(tx: Transaction) -> tuple[PendingLogin, Factor] | None:
            pending = self.pending_logins.find(tx, digest(challenge_token))
            factor = self.factors.find(tx, pending.user_id) if pending else None
            return (pending, factor) if pending and factor else None

        return self.database.read(read)

    def _prepare(self, pending: PendingLogin, factor: Factor, code: str, now: float) -> Try:
        event = msgspec.json.decode(pending.event, type=LoginEvent)
        grant = self.issuer.prepare(
            event,
            client_id=pending.client_id,
            authentication=by_password_and_code(now),
            risk_score=pending.risk_score,
            now=now,
        )
        step_id = self.randomness.event_id("evt")
        passed = self._line("challenge.passed", pending, event_id=step_id, ip=event.ip, now=now)
        passed = msgspec.structs.replace(passed, session_id=grant.session.session_id)
        failed = self._line("challenge.failed", pending, event_id=step_id, ip=event.ip, now=now)
        return Try(
            pending=pending,
            factor_id=factor.factor_id,
            secret=self.vault.open(factor.sealed_secret, TOTP_PURPOSE).decode(),
            code=code,
            now=now,
            grant=grant,
            passed=self.recorder.outcome(passed, event, "mfa_passed"),
            failed=self.recorder.outcome(failed, event, "mfa_failed"),
        )

    def _line(self, kind: Kind, pending: PendingLogin, *, event_id: str, ip: str, now: float) -> AuditEvent:
        return AuditEvent(
            event_id=event_id,
            ts=now,
            kind=kind,
            user_id=pending.user_id,
            client_id=pending.client_id,
            ip=ip,
            score=pending.risk_score,
            level=pending.risk_level,
            detail=f"{pending.challenge_id} {pending.event_id}",
        )

    def _try(self, tx: Transaction, attempt: Try) -> WrongCode | ChallengeOver | None:
        """None when the login is finished. The try is counted before the code is looked at."""
        pending, now = attempt.pending, attempt.now
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
        self.issuer.write(tx, attempt.grant)
        self.recorder.write(tx, attempt.passed)
        return None
