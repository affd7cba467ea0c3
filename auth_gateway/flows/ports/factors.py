"""What people prove themselves with beside password and authenticator, and what bounds the guessing."""

from collections.abc import Sequence
from typing import Protocol

from auth_gateway.core.factor import Passkey, TrustedDevice
from auth_gateway.core.guessing import Counted
from plumbing.statements import Transaction


class Passkeys(Protocol):
    """WebAuthn credentials."""

    def find(self, tx: Transaction, credential_id: bytes) -> Passkey | None: ...

    def of_user(self, tx: Transaction, user_id: str) -> list[Passkey]:
        """The oldest first."""
        ...

    def add(self, tx: Transaction, passkey: Passkey) -> bool:
        """False when the credential is registered, whoever has it."""
        ...

    def use(self, tx: Transaction, credential_id: bytes, *, sign_count: int, is_backed_up: bool, now: float) -> bool:
        """Keep the new counter by compare-and-set; False when it does not grow (both zero is allowed: most passkeys
        count nothing), or when the credential is gone.

        Source: WebAuthn level 3, section 7.2, step 22.
        """
        ...

    def rename(self, tx: Transaction, user_id: str, credential_id: bytes, name: str) -> bool: ...

    def remove(self, tx: Transaction, user_id: str, credential_id: bytes) -> bool: ...


class RecoveryCodes(Protocol):
    """Recovery codes by their keyed digests."""

    def replace(self, tx: Transaction, user_id: str, code_digests: Sequence[bytes], now: float) -> None:
        """These from now on, and none of those before."""
        ...

    def left(self, tx: Transaction, user_id: str) -> int: ...

    def use(self, tx: Transaction, user_id: str, code_digest: bytes, now: float) -> bool:
        """Spend it by compare-and-set."""
        ...


class MailedCodes(Protocol):
    """The codes that were mailed for challenges."""

    def sent(
        self, tx: Transaction, challenge_digest: bytes, code_digest: bytes, *, now: float, expires_at: float, most: int
    ) -> bool:
        """Keep a new code in the place of the one before; False when as many as `most` were sent for the challenge."""
        ...

    def matches(self, tx: Transaction, challenge_digest: bytes, code_digest: bytes, now: float) -> bool:
        """Whether this is the latest code and in time; the challenge itself is what counts once."""
        ...

    def forget_expired(self, tx: Transaction, expired_before: float) -> int: ...


class Guesses(Protocol):
    """How many codes were looked at for an account, across challenges, addresses and logins. Durable: a restart
    forgives nothing."""

    def take(self, tx: Transaction, user_id: str, kind: Counted, *, most: int, now: float) -> bool:
        """Count one more look, at most `most` in any 24 hours (`core.guessing`); False when it may not be taken."""
        ...

    def give_back(self, tx: Transaction, user_id: str, kind: Counted, *, most: int) -> None:
        """The look found the right code."""
        ...


class TrustedDevices(Protocol):
    """Browsers that their owners trust."""

    def add(self, tx: Transaction, device: TrustedDevice) -> None: ...

    def find(self, tx: Transaction, token_digest: bytes) -> TrustedDevice | None: ...

    def of_user(self, tx: Transaction, user_id: str) -> list[TrustedDevice]:
        """Those that still count, the newest first."""
        ...

    def revoke(self, tx: Transaction, user_id: str, device_id: str, now: float) -> bool: ...

    def revoke_all(self, tx: Transaction, user_id: str, now: float) -> int: ...

    def forget_expired(self, tx: Transaction, expired_before: float) -> int: ...
