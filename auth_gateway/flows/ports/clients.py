"""Registered applications."""

from typing import Protocol

from auth_gateway.core.provider.client import RegisteredClient
from plumbing.statements import Transaction


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

    def registered_at(self, tx: Transaction, client_id: str) -> float | None:
        """When this registration began; None when there is none. An id that was removed and given again has a later
        one."""
        ...

    def add(self, tx: Transaction, client: RegisteredClient, secret_digest: bytes, now: float) -> bool:
        """False when the id is taken; `secret_digest` is empty for a client without a secret."""
        ...

    def rotate_secret(self, tx: Transaction, client_id: str, *, secret_digest: bytes, previous_until: float) -> bool:
        """A new secret; the one before works until that time. False when there is no client with a secret here."""
        ...

    def sessions_of(self, tx: Transaction, client_id: str) -> list[str]:
        """The sessions that began at this client and are not revoked."""
        ...

    def remove(self, tx: Transaction, client_id: str, *, now: float) -> bool:
        """Forget it with its unfinished logins, requests, codes, devices and consents, and end its refresh families
        and its part in every session, so that whoever gets the id next inherits nothing. False when there is none."""
        ...

    def list(self, tx: Transaction) -> list[RegisteredClient]: ...
