"""What is held against people."""

from typing import Protocol

import msgspec

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.user_risk import RiskChange, UserRisk
from plumbing.statements import Transaction


class NotedChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change with its place in the history: later ones have higher places."""

    place: int
    change: RiskChange


class RiskBook(Protocol):
    """The risk of each person, and its history."""

    def find(self, tx: Transaction, user_id: str) -> UserRisk:
        """As it was last written; nothing for whom nothing was."""
        ...

    def hold(self, tx: Transaction, user_id: str) -> UserRisk:
        """The same, and nobody else changes it until the commit."""
        ...

    def begin(self, tx: Transaction, user_id: str, now: float) -> UserRisk:
        """The same for somebody of whom nothing may be written yet; they must have an account."""
        ...

    def change(self, tx: Transaction, risk: UserRisk, change: RiskChange) -> None:
        """Write the risk of somebody whose risk was begun, and why it is that."""
        ...

    def history(self, tx: Transaction, user_id: str, *, before: int, limit: int) -> list[NotedChange]:
        """Their changes at places before that one, the newest first."""
        ...


class RiskTrail(Protocol):
    """The audit trail as far as the risk of people needs it."""

    def record(self, tx: Transaction, event: AuditEvent) -> None: ...

    def count_of_user(self, tx: Transaction, user_id: str, kind: Kind, *, since: float) -> int:
        """How many lines of that kind they have since then."""
        ...


class AuditFollower(Protocol):
    """Told of each line of the audit trail, in its transaction, which may run twice."""

    def __call__(self, tx: Transaction, line: AuditEvent) -> None: ...
