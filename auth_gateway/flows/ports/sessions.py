"""Unfinished logins, the sessions that finished ones begin, and what keeps those alive."""

from collections.abc import Sequence
from typing import Protocol

from auth_gateway.core.pending import PendingLogin
from auth_gateway.core.push import Verdict
from auth_gateway.core.rotation import Held, Presented
from auth_gateway.core.session import RefreshFamily, RefreshToken, Session
from plumbing.statements import Transaction


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

    def find_asked(self, tx: Transaction, challenge_id: str) -> PendingLogin | None:
        """The challenge of that public name, where an MFA system was asked about it."""
        ...

    def approve(self, tx: Transaction, token_digest: bytes, now: float) -> bool:
        """Keep an MFA system's yes by compare-and-set; False when it awaits no word any more."""
        ...

    def refuse(self, tx: Transaction, token_digest: bytes, verdict: Verdict, *, incident_id: str, now: float) -> bool:
        """Keep its no and finish the challenge by compare-and-set; False when it awaits no word any more."""
        ...

    def poll(self, tx: Transaction, token_digest: bytes, now: float) -> bool:
        """Its application asked just now; False when it awaits no word any more."""
        ...

    def keep_until(self, tx: Transaction, token_digest: bytes, expires_at: float, *, now: float) -> bool:
        """It waits until then, when that is later; False when it can no longer be tried."""
        ...

    def forget_expired(self, tx: Transaction, expired_before: float) -> int: ...


class Sessions(Protocol):
    """Sessions; a revoked one ends its refresh tokens with it, since each refresh looks at its session."""

    def add(self, tx: Transaction, session: Session) -> None: ...

    def find(self, tx: Transaction, session_id: str) -> Session | None: ...

    def recent(self, tx: Transaction, limit: int) -> list[Session]: ...

    def of_user(self, tx: Transaction, user_id: str) -> list[Session]: ...

    def revoke(self, tx: Transaction, session_id: str, *, now: float, reason: str) -> bool:
        """False when it was over already."""
        ...

    def ask(self, tx: Transaction, session_id: str, *, now: float, observed_at: float) -> bool:
        """It rests until its owner shows a factor; False when it does already or is over, or when its owner has shown
        one since `observed_at`."""
        ...

    def answer(self, tx: Transaction, session_id: str, *, now: float, amr: str, acr: str) -> bool:
        """Its owner has shown a factor, by compare-and-set; False when it does not rest any more."""
        ...

    def see(self, tx: Transaction, session_id: str, now: float) -> None:
        """It was used just now."""
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

    def revoke_session(self, tx: Transaction, session_id: str, *, now: float) -> int:
        """Every family of the session dies, and the session goes on; how many there were."""
        ...

    def count_refusal(self, tx: Transaction, family_id: str, *, now: float) -> int:
        """Count one refusal for its risk: how many there are in this hour."""
        ...

    def expired(self, tx: Transaction, expired_before: float, limit: int) -> list[bytes]: ...

    def forget(self, tx: Transaction, token_digests: Sequence[bytes]) -> int: ...

    def forget_orphaned_families(self, tx: Transaction) -> int:
        """Families whose session is gone."""
        ...
