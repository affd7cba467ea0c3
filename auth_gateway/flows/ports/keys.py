"""What is signed and sealed, and the keys for it."""

from typing import Protocol

import msgspec

from auth_gateway.core.claims import AccessClaims
from plumbing.statements import Transaction


class Sealer(Protocol):
    """Seals small secrets at rest; `plumbing.state.Vault` is one."""

    def seal(self, plain: bytes, purpose: str) -> bytes: ...

    def open(self, sealed: bytes, purpose: str) -> bytes: ...


class TokenCodec(Protocol):
    """Signs access tokens."""

    def encode(self, claims: AccessClaims) -> str:
        """The signed access token (`at+jwt`)."""
        ...


class SigningKeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One signing key as it is stored: the private half sealed, the public half a JWK as JSON."""

    kid: str
    sealed_private: bytes
    public_jwk: str
    created_at: float
    activates_at: float
    retired_at: float | None = None


class SigningKeys(Protocol):
    """Stored signing keys, oldest first."""

    def list(self, tx: Transaction) -> list[SigningKeyRecord]: ...

    def add(self, tx: Transaction, key: SigningKeyRecord) -> None: ...

    def retire(self, tx: Transaction, kid: str, now: float) -> bool: ...

    def forget_retired(self, tx: Transaction, retired_before: float) -> int: ...
