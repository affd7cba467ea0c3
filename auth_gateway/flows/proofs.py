"""What answers a challenge: a code that was typed, or a passkey. A code is looked at here, in the challenge's own
transaction; a passkey's signature was checked before, and only what it spends is spent there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import msgspec

from auth_gateway.core.factor import CodeKind
from auth_gateway.core.totp import matching_step
from auth_gateway.flows.ports import Factors, Sealer
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
    spend: Callable[[Transaction], bool]

    @property
    def kind(self) -> Literal["passkey"]:
        return "passkey"


Proof = CodeProof | PasskeyProof


@dataclass(frozen=True, slots=True, kw_only=True)
class Proving:
    """Looks at proofs and spends what is right."""

    vault: Sealer
    factors: Factors

    def is_right(self, tx: Transaction, proof: Proof, *, user_id: str, now: float) -> bool:
        """Whether the proof is this person's and counts now; then it never does again."""
        if isinstance(proof, PasskeyProof):
            return proof.user_id == user_id and proof.spend(tx)
        return proof.kind == "totp" and self._totp(tx, user_id, proof.code, now)

    def _totp(self, tx: Transaction, user_id: str, code: str, now: float) -> bool:
        factor = self.factors.find(tx, user_id)
        if factor is None:
            return False
        secret = self.vault.open(factor.sealed_secret, TOTP_PURPOSE).decode()
        step = matching_step(secret, code, now, factor.last_used_step)
        return step is not None and self.factors.use_step(tx, factor.factor_id, step)
