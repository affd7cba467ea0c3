"""What answers a challenge: a code that was typed, or a passkey. A code is looked at here, in the challenge's own
transaction; a passkey's signature was checked before, and only what it spends is spent there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from auth_gateway.core import mailed_code, recovery_code
from auth_gateway.core.factor import CodeKind
from auth_gateway.core.guessing import MOST_LOOKS
from auth_gateway.core.totp import matching_step
from auth_gateway.flows.ports import Factors, Guesses, MailedCodes, RecoveryCodes, Sealer
from plumbing.statements import Transaction

TOTP_PURPOSE = "totp-secret"


class CodeProof(msgspec.Struct, frozen=True, kw_only=True):
    """A code that was typed."""

    kind: CodeKind
    code: str


class PasskeyProof(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey of `user_id` whose signature is right.

    `spend` runs in the transaction that counts the answer: it spends the WebAuthn challenge and keeps the counter;
    False refuses. It may run twice, so it is a function of the transaction alone.
    """

    user_id: str
    is_user_verified: bool
    credential_id: bytes = b""
    spend: Callable[[Transaction], bool]

    @property
    def kind(self) -> Literal["passkey"]:
        return "passkey"


class PushProof(msgspec.Struct, frozen=True):
    """The word of an MFA system, which came by another way and is looked up."""

    @property
    def kind(self) -> Literal["push"]:
        return "push"


Proof = CodeProof | PasskeyProof
ChallengeProof = Proof | PushProof
"""What answers the challenge of a login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proving:
    """Looks at proofs and spends what is right. The keys are derived for the digests of codes alone."""

    vault: Sealer
    factors: Factors
    recovery_codes: RecoveryCodes
    mailed_codes: MailedCodes
    guesses: Guesses
    recovery_key: bytes
    mailed_key: bytes

    def is_right(
        self, tx: Transaction, proof: Proof, *, user_id: str, now: float, challenge: bytes | None = None
    ) -> bool:
        """Whether the proof is this person's and counts now; then it never does again. `challenge` is the digest of
        what a mailed code was sent for.

        The look is counted before the code is looked at, and beyond the day's allowance none is: then the true code
        is as wrong as every other.
        """
        if isinstance(proof, PasskeyProof):
            return proof.user_id == user_id and proof.spend(tx)
        most = MOST_LOOKS[proof.kind]
        if not self.guesses.take(tx, user_id, proof.kind, most=most, now=now):
            return False
        if not self._matches(tx, proof, user_id, challenge, now):
            return False
        self.guesses.give_back(tx, user_id, proof.kind, most=most)
        return True

    def _matches(self, tx: Transaction, proof: CodeProof, user_id: str, challenge: bytes | None, now: float) -> bool:
        if proof.kind == "totp":
            return self._totp(tx, user_id, proof.code, now)
        if proof.kind == "recovery_code":
            found = recovery_code.code_digest(self.recovery_key, user_id, proof.code)
            return found is not None and self.recovery_codes.use(tx, user_id, found, now)
        if challenge is None:
            return False
        found = mailed_code.code_digest(self.mailed_key, challenge, proof.code)
        return found is not None and self.mailed_codes.matches(tx, challenge, found, now)

    def _totp(self, tx: Transaction, user_id: str, code: str, now: float) -> bool:
        factor = self.factors.find(tx, user_id)
        if factor is None:
            return False
        secret = self.vault.open(factor.sealed_secret, TOTP_PURPOSE).decode()
        step = matching_step(secret, code, now, factor.last_used_step)
        return step is not None and self.factors.use_step(tx, factor.factor_id, step)
