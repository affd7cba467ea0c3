"""What is written down, and what is announced."""

from collections.abc import Callable
from typing import Protocol

from auth_gateway.core.audit import AuditEvent
from plumbing.statements import Transaction


class AuditTrail(Protocol):
    """What happened, in the closed vocabulary of `core.audit`."""

    def record(self, tx: Transaction, event: AuditEvent) -> None: ...


class AuditReader(Protocol):
    """What happened to one person, for that person."""

    def of_user(self, tx: Transaction, user_id: str, *, since: float, limit: int) -> list[AuditEvent]:
        """Their lines since then without refreshes, the newest first."""
        ...


class OutboxWriter(Protocol):
    """Messages that leave with the transaction; `webhooks.outbox.Outbox` is one."""

    def add(
        self,
        tx: Transaction,
        *,
        message_id: str,
        endpoint: str,
        event_type: str,
        body: bytes,
        now: float,
        order_key: str | None = None,
        fold_key: str | None = None,
        due_at: float | None = None,
        folded: int = 0,
    ) -> None:
        """Messages to one endpoint with the same `order_key` go one after the other; one with a `fold_key` may take in
        others until it is sent, which is not before `due_at`. It stands for `folded` more than itself."""
        ...

    def fold(
        self,
        tx: Transaction,
        *,
        endpoint: str,
        fold_key: str,
        into: Callable[[bytes, int], bytes | None],
        more: int = 1,
    ) -> int | None:
        """Let the unsent message with that key stand for `more`, in the body that `into` makes; None when none waits
        that may take them in."""
        ...

    def give_up(self, tx: Transaction, *, endpoint: str, now: float, error: str) -> int:
        """No attempt will follow for anything that waits for that endpoint. How many there were."""
        ...

    def remove(self, tx: Transaction, *, endpoint: str) -> int:
        """Delete whatever was for that endpoint, dead messages too. How many there were."""
        ...

    def hasten(self, tx: Transaction, *, endpoint: str, now: float, limit: int) -> int:
        """What waits there for a later moment is due, `limit` at most. How many there were."""
        ...
