"""What policy has decided, as it was written down."""

from typing import NamedTuple, Protocol

import msgspec

from auth_gateway.core.audit import AuditEvent
from plumbing.statements import Transaction


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """One line with its place in the trail, and the name of its person, "" for nobody."""

    place: int
    username: str
    line: AuditEvent


class Decisions(Protocol):
    """The record of decisions."""

    def between(self, tx: Transaction, *, after: int, since: float, until: float, most: int) -> list[Decided]:
        """The next lines of that span, in the order in which they were written."""
        ...

    def compromised(self, tx: Transaction, *, since: float) -> frozenset[str]:
        """The ids of those sign-ins that were not their owners', as these or an analyst have said since then."""
        ...


class Start(NamedTuple):
    """The place after which to read, and whether that leaves nothing of the span out."""

    after: int
    is_whole: bool


class Starts(Protocol):
    """Where to begin in the trail."""

    def start(self, tx: Transaction, *, since: float, until: float, most: int) -> Start:
        """The place after which the last `most` decisions of that span stand."""
        ...
