"""What is looked for when a person is erased, and whoever finds it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from plumbing.statements import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """How a person is known: `covered` are the keyed hashes that streams name them by, `tombstone` is what the audit
    trail calls them from now on."""

    user_id: str
    tombstone: str
    covered: tuple[str, ...]
    is_named_in: Callable[[bytes], bool]


class Erasing(Protocol):
    """Finds a person in the database and leaves nothing of them."""

    def hold(self, tx: Transaction, user_id: str) -> bool:
        """Nobody else changes or uses that account until the transaction ends; False when there is none."""
        ...

    def untell(self, tx: Transaction, user_id: str, is_about: Callable[[str, str, bytes], bool]) -> int:
        """Delete messages of events of theirs, and those that `is_about` (id, endpoint, body) says are about them."""
        ...

    def erase(self, tx: Transaction, traces: Traces) -> int:
        """Delete their rows, and leave of the audit trail what names nobody; how many rows."""
        ...

    def keep_untold(self, tx: Transaction, event_id: str) -> None:
        """Nobody is told of that line by way of the audit trail."""
        ...
