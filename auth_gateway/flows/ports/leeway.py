"""How much higher people's own step-up marks lie."""

from typing import Protocol

from auth_gateway.core.leeway import Leeway
from plumbing.statements import Transaction


class LeewayBook(Protocol):
    """What each person has answered, as `core.leeway` counts it."""

    def hold(self, tx: Transaction, user_id: str, now: float) -> Leeway:
        """As it was last written, and nobody else changes it until the commit; they must have an account."""
        ...

    def put(self, tx: Transaction, user_id: str, leeway: Leeway) -> None:
        """Write it for somebody who was held."""
        ...

    def forget(self, tx: Transaction, user_id: str) -> None:
        """Nothing was answered."""
        ...
