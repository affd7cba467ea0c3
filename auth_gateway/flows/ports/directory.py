"""What lists of accounts need of the outside."""

from typing import Protocol

from auth_gateway.core.account_line import AccountLine, ListPlace, State
from plumbing.statements import Transaction


class Directory(Protocol):
    """Accounts as lists of them are read; none of it counts them."""

    def one(self, tx: Transaction, user_id: str) -> AccountLine | None: ...

    def named(self, tx: Transaction, prefix: str, *, after: str, state: State | None, limit: int) -> list[AccountLine]:
        """Those whose user name begins so, by name; those after that name."""
        ...

    def mailed(
        self, tx: Transaction, prefix: str, *, but: tuple[str, str], after: ListPlace, state: State | None, limit: int
    ) -> list[AccountLine]:
        """Those whose mail address begins so, by address; not those whose name begins with the one of `but`, nor that
        of the other's id: they were found before."""
        ...
