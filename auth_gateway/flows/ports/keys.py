"""What is signed and sealed, and the keys for it."""

from typing import NamedTuple, Protocol

import msgspec

from auth_gateway.core.claims import AccessClaims
from plumbing.statements import Transaction


class Sealer(Protocol):
    """Seals small secrets at rest; `plumbing.state.Vault` is one."""

    def seal(self, plain: bytes, purpose: str) -> bytes: ...

    def open(self, sealed: bytes, purpose: str) -> bytes: ...


class SealedValue(NamedTuple):
    """One sealed value: the table that it stands in, and under which key. `is_clear`: it was never sealed yet."""

    table: str
    key: str
    sealed: bytes
    is_clear: bool = False


class SealedValues(Protocol):
    """What is sealed at rest and outlives a day."""

    def after(self, tx: Transaction, table: str, key: str, limit: int) -> list[SealedValue]:
        """The values of a table whose keys come after that one, in their order."""
        ...

    def replace(self, tx: Transaction, value: SealedValue, sealed: bytes) -> bool:
        """By compare-and-set; False when it was changed meanwhile, and so sealed anew already."""
        ...


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

    def remove(self, tx: Transaction, kid: str) -> None: ...

    def forget_retired(self, tx: Transaction, retired_before: float) -> int: ...
