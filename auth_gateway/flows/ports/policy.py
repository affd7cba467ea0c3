"""What policy is decided by beside the score and the operator's switches."""

from typing import Protocol

from auth_gateway.core.policy_rule import NO_DOCUMENT, PolicyDocument


class PolicyDocuments(Protocol):
    """The operator's rules. Fails to the last good document: a bad edit changes nothing."""

    def current(self) -> PolicyDocument:
        """The document that is in force now."""
        ...


class NoDocument:
    """No rules beside the built-in tables."""

    def current(self) -> PolicyDocument:
        return NO_DOCUMENT


class UserRisks(Protocol):
    """What is held against people themselves, whatever they do now."""

    def value_of(self, user_id: str, now: float) -> float:
        """0 to 100; 0 is nothing."""
        ...


class NobodyAtRisk:
    """Nothing is held against anybody."""

    def value_of(self, user_id: str, now: float) -> float:
        return 0.0
