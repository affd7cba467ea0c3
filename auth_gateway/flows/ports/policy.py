"""What policy is decided by beside the score and the operator's switches."""

from typing import Protocol

from auth_gateway.core.policy_counts import Recorded
from auth_gateway.core.policy_rule import NO_DOCUMENT, PolicyDocument
from auth_gateway.core.policy_version import PolicyVersion
from plumbing.statements import Transaction


class PolicyDocuments(Protocol):
    """The operator's rules. Fails to the last good document: a bad edit changes nothing."""

    def current(self) -> PolicyDocument:
        """The document that is in force now."""
        ...


class NoDocument:
    """No rules beside the built-in tables."""

    def current(self) -> PolicyDocument:
        return NO_DOCUMENT


class PolicyVersions(Protocol):
    """Documents that were saved, one after the other."""

    def newest(self, tx: Transaction) -> int:
        """The number of the one in force."""
        ...

    def find(self, tx: Transaction, version: int) -> PolicyVersion | None:
        """That one."""
        ...

    def before(self, tx: Transaction, version: int, most: int) -> list[PolicyVersion]:
        """Those with a lower number, the newest first."""
        ...

    def add(self, tx: Transaction, version: PolicyVersion) -> bool:
        """Keep it; False when there is one of its number already."""
        ...


class RecordedDecisions(Protocol):
    """What was decided lately, as far as it is counted."""

    def latest(self, tx: Transaction, *, since: float, most: int) -> list[Recorded]:
        """The newest first; without refreshes that went through, which are too many to look at."""
        ...


class UserRisks(Protocol):
    """What is held against people themselves, whatever they do now."""

    def value_of(self, user_id: str, now: float) -> float:
        """0 to 100; 0 is nothing."""
        ...


class NobodyAtRisk:
    """Nothing is held against anybody."""

    def value_of(self, user_id: str, now: float) -> float:
        return 0.0
