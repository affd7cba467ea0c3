"""Accounts as recovery and reports see them."""

from typing import Protocol

from plumbing.statements import Transaction


class Recoverables(Protocol):
    """Accounts that their owners freeze and get back."""

    def of_address(self, tx: Transaction, address: str) -> list[str]:
        """The ids of the accounts that have this as their verified mail address, a few at most."""
        ...

    def freeze(self, tx: Transaction, user_id: str) -> bool:
        """Because the owner reported a sign-in; False when it is frozen already, by whomever."""
        ...

    def demand(self, tx: Transaction, user_id: str) -> bool:
        """Because a reviewer wants another password; False when it is frozen already, by whomever."""
        ...

    def unfreeze(self, tx: Transaction, user_id: str) -> bool:
        """Lift a freeze that the owner may lift; an operator's stays, and False says so."""
        ...
