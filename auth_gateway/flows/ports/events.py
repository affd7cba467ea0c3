"""What events are read from, and who is told of them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.destination import Destination
from auth_gateway.core.replay import Replay
from plumbing.statements import Transaction
from webhooks.delivery_log import Before, Entry, Status
from webhooks.standing import EndpointStanding


class Logged(NamedTuple):
    """A line of the audit trail with its place in it; `username` is its person's, "" where there is none."""

    seq: int
    line: AuditEvent
    username: str


class SealedSecrets(NamedTuple):
    """What a destination's messages are signed with, sealed; the previous one counts until its time."""

    current: bytes | None
    previous: bytes | None
    previous_until: float | None


class EventLog(Protocol):
    """The audit trail as a queue: lines wait until those who listen have been told."""

    def takes_turn(self, tx: Transaction) -> bool:
        """Whether no other gateway distributes until this transaction ends."""
        ...

    def waiting(self, tx: Transaction, limit: int) -> list[Logged]:
        """The oldest lines that wait."""
        ...

    def told(self, tx: Transaction, seqs: Sequence[int]) -> int:
        """Let them wait no longer; how many did."""
        ...

    def between(self, tx: Transaction, since: float, until: float, *, after: int, limit: int) -> list[Logged]:
        """Lines that others are told of, from `since` to before `until`, by time and place; of those at `since` itself
        the ones behind the place `after`."""
        ...


class Replays(Protocol):
    """Spans of the log that destinations are told again."""

    def add(self, tx: Transaction, replay: Replay) -> bool:
        """False when one of that destination runs."""
        ...

    def running(self, tx: Transaction) -> list[Replay]:
        """Those that run, the oldest first."""
        ...

    def of(self, tx: Transaction, destination_id: str, limit: int) -> list[Replay]:
        """A destination's, the newest first."""
        ...

    def advance(self, tx: Transaction, before: Replay, after: Replay) -> bool:
        """Let it have come so far, or be over. False when it is not where `before` says: somebody else did it."""
        ...

    def stop(self, tx: Transaction, destination_id: str, now: float) -> bool:
        """End the one that runs; False when none does."""
        ...


class DeliveryLog(Protocol):
    """How messages fared, and those that are dead once more."""

    def page(
        self, tx: Transaction, *, endpoint: str, now: float, limit: int, status: Status | None, before: Before
    ) -> list[Entry]:
        """The newest first."""
        ...

    def find(self, tx: Transaction, *, endpoint: str, message_id: str) -> Entry | None: ...

    def revive(self, tx: Transaction, *, endpoint: str, message_id: str, now: float) -> bool:
        """Due at once; False when it is in flight, delivered, or not there."""
        ...

    def revive_dead(self, tx: Transaction, *, endpoint: str, now: float, limit: int) -> int:
        """The oldest dead ones, due at once; how many there were."""
        ...

    def waiting(self, tx: Transaction, *, endpoint: str, most: int) -> int:
        """How many wait, `most` at the most."""
        ...


class EndpointStandings(Protocol):
    """How each endpoint of the outbox stands."""

    def of(self, tx: Transaction, endpoint: str) -> EndpointStanding: ...


class Destinations(Protocol):
    """Who is told of events. Names and ids are unique."""

    def add(self, tx: Transaction, destination: Destination, sealed_secret: bytes | None) -> bool:
        """False when the name is taken."""
        ...

    def find(self, tx: Transaction, destination_id: str) -> Destination | None: ...

    def named(self, tx: Transaction, name: str) -> Destination | None: ...

    def list(self, tx: Transaction) -> list[Destination]:
        """All of them, by name."""
        ...

    def secrets(self, tx: Transaction, destination_id: str) -> SealedSecrets | None: ...

    def rotate_secret(
        self, tx: Transaction, destination_id: str, *, sealed_secret: bytes, previous_until: float
    ) -> bool: ...

    def hold(self, tx: Transaction, destination_id: str) -> Destination | None:
        """That one, which nobody else changes until the transaction ends."""
        ...

    def change(self, tx: Transaction, destination: Destination) -> bool:
        """Its address and terms as they are here; False when there is none."""
        ...

    def set_disabled(self, tx: Transaction, destination_id: str, *, at: float | None, reason: str) -> bool:
        """`at` None enables it again; False when it is so already, or there is none."""
        ...

    def remove(self, tx: Transaction, destination_id: str) -> bool: ...
