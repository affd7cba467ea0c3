"""What the flows need from the world, as small Protocols. Implementations live in `adapters`; `app` joins the two.

`Clock` and `Randomness` come from plumbing and are named here so that a reader finds every port in one place.
Repositories take the running transaction: a flow opens it, says what belongs together, and ends it.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from auth_gateway.core.account import Account, Factor, LoginFacts
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.claims import AccessClaims
from auth_gateway.core.pending import PendingLogin
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.rotation import Held, Presented
from auth_gateway.core.session import RefreshFamily, RefreshToken, Session
from auth_gateway.core.throttle import ThrottleKey
from plumbing.clock import Clock
from plumbing.randomness import Randomness
from plumbing.statements import Transaction
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import LoginEvent

__all__ = [
    "AuditTrail",
    "Clients",
    "Clock",
    "Factors",
    "KnownDevices",
    "OutboxWriter",
    "PasswordCheck",
    "PasswordHashes",
    "Passwords",
    "PendingLogins",
    "Randomness",
    "RefreshTokens",
    "Reservation",
    "Scorer",
    "Sealer",
    "Sessions",
    "SigningKeyRecord",
    "SigningKeys",
    "Throttle",
    "TokenCodec",
    "Users",
]


class PasswordCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a password is the right one, and its hash in today's scheme when the stored one is older."""

    matches: bool
    upgraded_hash: str | None = None


class Passwords(Protocol):
    """Password checks in a bounded pool."""

    async def check(self, password: str | None, stored_hash: str | None, *, may_upgrade: bool) -> PasswordCheck:
        """Compare in the same time whether or not there is an account (`stored_hash` None) or a usable password.

        A better hash costs time, so it is made only where the answer may differ from a refusal (`may_upgrade`).

        Raises: Refused("busy", 503) when the pool is full: fails closed, nobody is let in unhashed.
        """
        ...


class PasswordHashes(Protocol):
    """Hashes made and recognised for the operator's commands; blocks."""

    def hash(self, password: str) -> str:
        """A new hash in today's scheme."""
        ...

    def scheme(self, stored_hash: str) -> str | None:
        """The name of the scheme of an imported hash, None when we could never verify it."""
        ...


class Scorer(Protocol):
    """The risk scorer behind one total deadline."""

    async def score(self, event: LoginEvent) -> RiskScore | None:
        """The score, or None when there is none in time or in shape: fails to a challenge, never to an allow."""
        ...


class TokenCodec(Protocol):
    """Signs access tokens."""

    def encode(self, claims: AccessClaims) -> str:
        """The signed access token (`at+jwt`)."""
        ...


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that was counted at `at` (`wait_seconds` 0), or was not and must wait."""

    keys: tuple[ThrottleKey, ...]
    at: float
    wait_seconds: float = 0.0


class Throttle(Protocol):
    """Counters of attempts. Fails closed by design: they are in memory, bounded, and evict the idle first."""

    async def reserve(self, keys: Sequence[ThrottleKey], now: float) -> Reservation:
        """Count one attempt against all keys, or none of them when one must wait; in one step."""
        ...

    async def refund(self, reservation: Reservation) -> None:
        """Give one counted attempt back."""
        ...


class Sealer(Protocol):
    """Seals small secrets at rest; `plumbing.state.Vault` is one."""

    def seal(self, plain: bytes, purpose: str) -> bytes: ...

    def open(self, sealed: bytes, purpose: str) -> bytes: ...


class Users(Protocol):
    """Accounts."""

    def login_facts(self, tx: Transaction, username: str, device_digest: bytes | None) -> LoginFacts | None:
        """The account with its factor and whether this device is one of its own, in one look-up."""
        ...

    def find(self, tx: Transaction, username: str) -> Account | None: ...

    def by_id(self, tx: Transaction, user_id: str) -> Account | None: ...

    def username(self, tx: Transaction, user_id: str) -> str: ...

    def is_still(self, tx: Transaction, user_id: str, password_version: int) -> bool:
        """Whether the account is active and has kept the password that was checked."""
        ...

    def add(self, tx: Transaction, account: Account) -> bool:
        """False when the name or the id is taken."""
        ...

    def all(self, tx: Transaction) -> list[Account]: ...

    def schemes(self, tx: Transaction) -> list[str]:
        """Every scheme and cost (`core.account.hash_scheme`) that a stored password has."""
        ...

    def upgrade_hash(self, tx: Transaction, user_id: str, *, expected_hash: str, new_hash: str) -> bool:
        """Store a better hash of the same password, unless the hash has changed meanwhile."""
        ...

    def set_frozen(self, tx: Transaction, user_id: str, *, is_frozen: bool) -> bool:
        """False when it already was."""
        ...

    def set_password(self, tx: Transaction, user_id: str, new_hash: str) -> bool:
        """Another password, and so another version; False when there is no such account."""
        ...


class Factors(Protocol):
    """Enrolled TOTP factors: at most one for a user."""

    def find(self, tx: Transaction, user_id: str) -> Factor | None: ...

    def put(self, tx: Transaction, factor: Factor) -> None:
        """Replace whatever factor the user had."""
        ...

    def use_step(self, tx: Transaction, factor_id: str, step: int) -> bool:
        """Spend one time step; False when it or a later one was spent before, or the factor is gone."""
        ...


class KnownDevices(Protocol):
    """Devices a user has finished a login on."""

    def remember(self, tx: Transaction, user_id: str, device_digest: bytes, now: float) -> None: ...

    def forget_unseen(self, tx: Transaction, unseen_since: float) -> int: ...


class Sessions(Protocol):
    """Sessions; a revoked one ends its refresh tokens with it, since each refresh looks at its session."""

    def add(self, tx: Transaction, session: Session) -> None: ...

    def find(self, tx: Transaction, session_id: str) -> Session | None: ...

    def recent(self, tx: Transaction, limit: int) -> list[Session]: ...

    def of_user(self, tx: Transaction, user_id: str) -> list[Session]: ...

    def revoke(self, tx: Transaction, session_id: str, *, now: float, reason: str) -> bool:
        """False when it was over already."""
        ...

    def forget_ended(self, tx: Transaction, ended_before: float) -> int: ...


class RefreshTokens(Protocol):
    """Refresh tokens by their digest, and the families they belong to."""

    def start(self, tx: Transaction, family: RefreshFamily) -> None: ...

    def add(self, tx: Transaction, token: RefreshToken) -> None: ...

    def present(self, tx: Transaction, token_digest: bytes) -> Presented | None:
        """The token with the state of its successor, family, session and user, in one look-up."""
        ...

    def hold(self, tx: Transaction, token_digest: bytes) -> Held | None:
        """The same with where its session began."""
        ...

    def use(self, tx: Transaction, token_digest: bytes, *, successor_digest: bytes, now: float) -> bool:
        """Spend it by compare-and-set; False when somebody else did first."""
        ...

    def revoke_family(self, tx: Transaction, family_id: str, *, now: float) -> bool: ...

    def count_refusal(self, tx: Transaction, family_id: str, *, now: float) -> int:
        """Count one refusal for its risk: how many there are in this hour."""
        ...

    def expired(self, tx: Transaction, expired_before: float, limit: int) -> list[bytes]: ...

    def forget(self, tx: Transaction, token_digests: Sequence[bytes]) -> int: ...

    def forget_orphaned_families(self, tx: Transaction) -> int:
        """Families whose session is gone."""
        ...


class PendingLogins(Protocol):
    """Unfinished logins by the digest of their challenge token."""

    def add(self, tx: Transaction, pending: PendingLogin) -> None: ...

    def find(self, tx: Transaction, token_digest: bytes) -> PendingLogin | None: ...

    def count_attempt(self, tx: Transaction, token_digest: bytes, *, client_id: str, now: float) -> bool:
        """Spend one attempt by compare-and-set; False when the challenge can no longer be tried."""
        ...

    def consume(self, tx: Transaction, token_digest: bytes, now: float) -> bool:
        """Finish it by compare-and-set; False when it was finished before."""
        ...

    def forget_expired(self, tx: Transaction, expired_before: float) -> int: ...


class AuditTrail(Protocol):
    """What happened, in the closed vocabulary of `core.audit`."""

    def record(self, tx: Transaction, event: AuditEvent) -> None: ...


class Clients(Protocol):
    """Registered applications."""

    def authenticate(
        self, tx: Transaction, client_id: str, secret_digest: bytes, now: float
    ) -> RegisteredClient | None:
        """The client when this is the digest of its secret, or until its time of the one before (in constant time)."""
        ...

    def find(self, tx: Transaction, client_id: str) -> RegisteredClient | None:
        """The registration, whoever asks; proving it is another matter."""
        ...

    def add(self, tx: Transaction, client: RegisteredClient, secret_digest: bytes, now: float) -> bool:
        """False when the id is taken; `secret_digest` is empty for a client without a secret."""
        ...

    def rotate_secret(self, tx: Transaction, client_id: str, *, secret_digest: bytes, previous_until: float) -> bool:
        """A new secret; the one before works until that time. False when there is no client with a secret here."""
        ...

    def list(self, tx: Transaction) -> list[RegisteredClient]: ...


class OutboxWriter(Protocol):
    """Messages that leave with the transaction; `webhooks.outbox.Outbox` is one."""

    def add(
        self, tx: Transaction, *, message_id: str, endpoint: str, event_type: str, body: bytes, now: float
    ) -> None: ...


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
