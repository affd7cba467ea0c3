"""Asking for passkeys and believing their answers, whatever they are asked for: to sign in, to step up, to be kept.

A challenge is kept nowhere until it was answered (`core.webauthn_challenge`). A good answer is spent in the transaction
that decides what follows from it: the challenge counts once, and the counter has to grow.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.factor import Passkey
from auth_gateway.core.passkey_ceremony import Assertion, Flaw, Flawed
from auth_gateway.core.webauthn_challenge import RANDOM_BYTES, Purpose, expiry_of, new_challenge, replay_digest
from auth_gateway.core.webauthn_challenge import user_handle as handle_of
from auth_gateway.flows.ports import AuditTrail, Clock, Passkeys, Randomness, WebAuthn
from auth_gateway.flows.proofs import PasskeyProof
from auth_gateway.flows.provider.ports import SeenOnce
from plumbing.database import Database
from plumbing.statements import Transaction


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in the name of a passkey that we know; nothing of it is checked yet."""

    assertion: Assertion
    passkey: Passkey


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that its passkey signed for this very question. It counts when `spend` says so: once."""

    passkey: Passkey
    is_user_verified: bool
    spend: Callable[[Transaction], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyCeremonies:
    """Makes questions and checks answers. `challenge_key` and `handle_key` are derived for nothing else."""

    database: Database
    clock: Clock
    randomness: Randomness
    webauthn: WebAuthn
    passkeys: Passkeys
    seen_once: SeenOnce
    audit: AuditTrail
    challenge_key: bytes
    handle_key: bytes

    def sign_in_options(self, interaction_id: str) -> str:
        """Asks whoever sits there for any passkey of theirs that verifies its user."""
        challenge = self.challenge("sign_in", interaction_id)
        return self.webauthn.request_options(challenge=challenge, allowed=(), must_verify_user=True)

    def step_up_options(self, user_id: str, bound_to: str) -> str | None:
        """Asks this person for one of their passkeys; None when they have none."""
        allowed = self.database.read(lambda tx: self.passkeys.of_user(tx, user_id))
        if not allowed:
            return None
        challenge = self.challenge("step_up", bound_to)
        return self.webauthn.request_options(challenge=challenge, allowed=allowed, must_verify_user=False)

    def find(self, text: str) -> Found | Flawed:
        """Whose passkey the answer is said to be of."""
        assertion = self.webauthn.read_assertion(text)
        if isinstance(assertion, Flawed):
            return assertion
        passkey = self.database.read(lambda tx: self.passkeys.find(tx, assertion.credential_id))
        return Flawed(flaw="unknown_credential") if passkey is None else Found(assertion=assertion, passkey=passkey)

    def check_sign_in(self, found: Found, interaction_id: str, line: AuditEvent) -> Shown | Flawed:
        """The answer of somebody who has said nothing else: it must name its person and have verified them."""
        return self._check(found, "sign_in", interaction_id, line, must_verify_user=True)

    def proof(self, text: str, bound_to: str, line: AuditEvent, *, expected_user_id: str) -> PasskeyProof:
        """The answer of a person who is known by something else already, as what answers their challenge.

        One that is not believed is a proof too, which spends nothing and refuses: so it is counted, written down and
        told like a wrong code, in the challenge's own transaction.
        """
        found = self.find(text)
        shown = found if isinstance(found, Flawed) else self._check_step_up(found, bound_to, line, expected_user_id)
        if isinstance(shown, Shown):
            return PasskeyProof(
                user_id=expected_user_id,
                is_user_verified=shown.is_user_verified,
                credential_id=shown.passkey.credential_id,
                spend=shown.spend,
            )
        flaw = shown.flaw

        def refuse(tx: Transaction) -> bool:
            self.refuse(tx, line, flaw, expected_user_id)
            return False

        return PasskeyProof(user_id=expected_user_id, is_user_verified=False, spend=refuse)

    def challenge(self, purpose: Purpose, bound_to: str) -> bytes:
        """A new challenge for that purpose."""
        drawn = self.randomness.bytes(RANDOM_BYTES)
        return new_challenge(self.challenge_key, purpose=purpose, bound_to=bound_to, random=drawn, now=self.clock.now())

    def expiry(self, challenge: bytes, purpose: Purpose, bound_to: str) -> float | None:
        """Until when this challenge counts for that, None when it does not."""
        now = self.clock.now()
        return expiry_of(challenge, self.challenge_key, purpose=purpose, bound_to=bound_to, now=now)

    def handle(self, user_id: str) -> bytes:
        """What authenticators know this person by."""
        return handle_of(self.handle_key, user_id)

    def refuse(self, tx: Transaction, line: AuditEvent, flaw: Flaw, user_id: str | None) -> None:
        """Write down for the operator what was wrong."""
        self.audit.record(tx, msgspec.structs.replace(line, kind="passkey.refused", rule=flaw, user_id=user_id))

    def _check_step_up(self, found: Found, bound_to: str, line: AuditEvent, expected_user_id: str) -> Shown | Flawed:
        if found.passkey.user_id != expected_user_id:
            return Flawed(flaw="another_person", user_id=expected_user_id)
        return self._check(found, "step_up", bound_to, line, must_verify_user=False)

    def _check(
        self, found: Found, purpose: Purpose, bound_to: str, line: AuditEvent, *, must_verify_user: bool
    ) -> Shown | Flawed:
        assertion, passkey = found.assertion, found.passkey
        expires_at = self.expiry(assertion.challenge, purpose, bound_to)
        if expires_at is None:
            return Flawed(flaw="challenge", user_id=passkey.user_id)
        is_named = assertion.user_handle is not None or not must_verify_user
        if not is_named or assertion.user_handle not in (None, self.handle(passkey.user_id)):
            return Flawed(flaw="user_handle", user_id=passkey.user_id)
        asserted = self.webauthn.verify_assertion(assertion, passkey, must_verify_user=must_verify_user)
        if isinstance(asserted, Flawed):
            return msgspec.structs.replace(asserted, user_id=passkey.user_id)
        digest = replay_digest(assertion.challenge)

        def spend(tx: Transaction) -> bool:
            flaw: Flaw | None = None
            if not self.seen_once.first(tx, digest, expires_at):
                flaw = "replayed"
            elif not self.passkeys.use(
                tx,
                passkey.credential_id,
                sign_count=asserted.sign_count,
                is_backed_up=asserted.is_backed_up,
                now=line.ts,
            ):
                flaw = "counter"  # or the passkey was removed meanwhile
            if flaw is not None:
                self.refuse(tx, line, flaw, passkey.user_id)
            return flaw is None

        return Shown(passkey=passkey, is_user_verified=asserted.is_user_verified, spend=spend)
