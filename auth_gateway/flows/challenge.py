"""The second half of a login: one proof for one challenge. Counting the try and spending proof and challenge are one
transaction, so that of any number of simultaneous requests exactly one wins; what the winner gets is `completion`'s.
"""

from dataclasses import dataclass

import msgspec

from auth_gateway.core.context import Client, LoginContext, login_event
from auth_gateway.core.factor import FactorKind, usable
from auth_gateway.core.pending import PendingLogin, obstacle, push_standing, refusal_of
from auth_gateway.core.policy import Policy, available, taken
from auth_gateway.core.push import LEAST_POLL_SECONDS, POLL_SECONDS, Standing, is_too_soon
from auth_gateway.core.rotation import digest, is_plausible
from auth_gateway.core.throttle import ThrottleKey, factor_keys, network_key, prompt_keys
from auth_gateway.flows.answers import (
    ChallengeOver,
    CompletionAnswer,
    Denied,
    LetIn,
    SlowDown,
    Throttled,
    Waiting,
    WrongCode,
)
from auth_gateway.flows.completion import Answered, Completion
from auth_gateway.flows.entrance import Entrance
from auth_gateway.flows.ports import Clock, PendingLogins, Randomness, Reservation, Throttle, Users
from auth_gateway.flows.proofs import ChallengeProof, CodeProof, Proving, PushProof
from auth_gateway.flows.recording import Entry, Recorder
from plumbing.database import Database
from plumbing.statements import Transaction
from risk_scorer.contract.events import LoginEvent


class Awaited(msgspec.Struct, frozen=True, kw_only=True):
    """A challenge that can be tried now, and what its person can answer it with, the strongest first."""

    pending: PendingLogin
    methods: tuple[FactorKind, ...]


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One proof presented for one challenge, with what is written when it is wrong."""

    answered: Answered
    proof: ChallengeProof
    failed: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteLogin:
    """Answers one proof."""

    database: Database
    clock: Clock
    randomness: Randomness
    throttle: Throttle
    users: Users
    pending_logins: PendingLogins
    proving: Proving
    recorder: Recorder
    completion: Completion
    policy: Policy

    def awaited(self, challenge_token: str, client: Client) -> Awaited | None:
        """The challenge, while it can be tried; whoever holds its token may know what answers it."""
        pending = self._find(challenge_token)
        if pending is None or obstacle(pending, expected_client_id=client.client_id, now=self.clock.now()) is not None:
            return None
        kinds = self.database.read(lambda tx: self.users.factor_kinds(tx, pending.user_id))
        methods = taken(available(kinds, self.policy), pending.demand, self.policy)
        # An MFA system is asked at a login; the challenge of a step-up it has not heard of.
        return Awaited(pending=pending, methods=tuple(kind for kind in methods if kind != "push" or pending.push))

    def pushed(self, challenge_token: str) -> tuple[PendingLogin, Standing] | None:
        """The challenge, in whatever state, and what the word of an MFA system is worth for it now."""
        pending = self._find(challenge_token)
        return None if pending is None else (pending, push_standing(pending, self.clock.now()))

    async def __call__(
        self,
        challenge_token: str,
        proof: ChallengeProof,
        client: Client,
        context: LoginContext,
        *,
        entrance: Entrance | None = None,
    ) -> CompletionAnswer:
        """Tokens (or what another `entrance` gives) for the right proof, once; the same `ChallengeOver` for whatever is
        no challenge to be tried.

        Only a right proof is worth a score, and it is spent before it gets one: whatever the risk says, it was used.

        Raises: Refused("storage_unavailable", 503).
        """
        now = self.clock.now()
        pending = self._find(challenge_token)
        incident_id = refusal_of(pending, expected_client_id=client.client_id, now=now)
        if incident_id is not None:
            return await self._say_refused(incident_id, entrance)
        if pending is None or obstacle(pending, expected_client_id=client.client_id, now=now) is not None:
            return ChallengeOver()
        if isinstance(proof, PushProof) and pending.push == "waiting":
            return await self._wait(pending, now)
        reservation = await self._reserve(pending, proof, now)
        if reservation.wait_seconds > 0:
            return Throttled(retry_after_seconds=reservation.wait_seconds)
        attempt = self._prepare(proof, now, pending=pending, client=client, context=context)
        try:
            refusal = await self.database.write(lambda tx: self._try(tx, attempt))
        except Exception:
            await self.throttle.refund(reservation)
            raise
        if isinstance(refusal, WrongCode):
            return refusal
        await self.throttle.refund(reservation)  # whoever came second with the right proof has not guessed either
        if refusal is not None:
            return refusal
        answer = await self.completion(attempt.answered, entrance)
        if isinstance(answer, LetIn):
            await self.throttle.refund(Reservation(keys=_what_a_login_gets_back(pending), at=pending.created_at))
        return answer

    async def _reserve(self, pending: PendingLogin, proof: ChallengeProof, now: float) -> Reservation:
        """Count the try of a code before it is looked at. A passkey or an MFA system's word cannot be guessed: its
        owner gets in with it while somebody else's guesses make the codes wait."""
        keys = factor_keys(pending.user_id) if isinstance(proof, CodeProof) else ()
        return await self.throttle.reserve(keys, now)

    async def _say_refused(self, incident_id: str, entrance: Entrance | None) -> Denied:
        """Written down when it was said; an entrance of its own still has to hear of it."""
        if entrance is not None:
            await self.database.write(lambda tx: entrance.deny(tx, incident_id))
        return Denied(incident_id=incident_id)

    async def _wait(self, pending: PendingLogin, now: float) -> Waiting | SlowDown | ChallengeOver:
        """Nothing has been said yet; whoever asks in a loop is told to pause, and costs no write."""
        if is_too_soon(pending.polled_at, now):
            return SlowDown(retry_after_seconds=LEAST_POLL_SECONDS + POLL_SECONDS)

        def poll(tx: Transaction) -> bool:
            self.pending_logins.poll(tx, pending.token_digest, now)
            return self.users.is_still(tx, pending.user_id, pending.password_version)

        is_still = await self.database.write(poll)
        return Waiting(retry_after_seconds=POLL_SECONDS) if is_still else ChallengeOver()

    def _find(self, challenge_token: str) -> PendingLogin | None:
        if not is_plausible(challenge_token):
            return None
        return self.database.read(lambda tx: self.pending_logins.find(tx, digest(challenge_token)))

    def _prepare(
        self, proof: ChallengeProof, now: float, *, pending: PendingLogin, client: Client, context: LoginContext
    ) -> Try:
        answered = Answered(
            event_id=self.randomness.event_id("evt"),
            now=now,
            pending=pending,
            client=client,
            context=context,
            shown=proof.kind,
        )
        failed = self.recorder.outcome(answered.line("challenge.failed"), _failure(answered), "mfa_failed")
        return Try(answered=answered, proof=proof, failed=failed)

    def _try(self, tx: Transaction, attempt: Try) -> WrongCode | ChallengeOver | None:
        """None when the proof was right; it and its challenge are spent then. The try is counted before the proof is
        looked at."""
        pending, now = attempt.answered.pending, attempt.answered.now
        if not self.pending_logins.count_attempt(tx, pending.token_digest, client_id=pending.client_id, now=now):
            return ChallengeOver()
        if not self.users.is_still(tx, pending.user_id, pending.password_version):
            self.pending_logins.consume(tx, pending.token_digest, now)
            return ChallengeOver()
        if not self._is_right(tx, attempt):
            self.recorder.write(tx, attempt.failed)
            left = self.pending_logins.find(tx, pending.token_digest)
            return WrongCode(attempts_left=left.attempts_left if left else 0)
        self.pending_logins.consume(tx, pending.token_digest, now)
        return None

    def _is_right(self, tx: Transaction, attempt: Try) -> bool:
        """Whether the challenge takes this kind, and the proof counts. What is not taken is not looked at."""
        pending, proof = attempt.answered.pending, attempt.proof
        if not usable((proof.kind,), pending.demand):
            return False
        if isinstance(proof, PushProof):
            stored = self.pending_logins.find(tx, pending.token_digest)
            return stored is not None and stored.push == "approved"
        return self.proving.is_right(
            tx, proof, user_id=pending.user_id, now=attempt.answered.now, challenge=pending.token_digest
        )


def _what_a_login_gets_back(pending: PendingLogin) -> tuple[ThrottleKey, ...]:
    """What the first half of a login was counted against, once the second is right."""
    network = network_key(pending.login.ip)
    if pending.recognised_at is not None:  # a step-up of somebody who is in: nothing was prompted by a password
        return (network,)
    return (network, *prompt_keys(pending.user_id, known_device=pending.known_device))


def _failure(answered: Answered) -> LoginEvent:
    """What the scorer learns of a wrong code: where it was typed, or where the challenge was issued to when that is
    not known."""
    pending, context = answered.pending, answered.context
    if not context.ip or answered.is_context_unknown:
        return pending.login
    return login_event(context, event_id=answered.event_id, user_id=pending.user_id, success=False, kind="step_up")
