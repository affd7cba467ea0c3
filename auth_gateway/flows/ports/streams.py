"""What Shared Signals need from the world: streams, what waits for those that are polled, and signatures."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from auth_gateway.core.provider.client import SigningAlgorithm
from auth_gateway.core.ssf.security_event import SetClaims
from auth_gateway.core.ssf.stream import Listening, Stream
from plumbing.statements import Transaction


class Streams(Protocol):
    """Streams of receivers, and the subjects that each names beside its default: as they are covered."""

    def add(self, tx: Transaction, stream: Stream, sealed_authorization: bytes | None) -> None: ...

    def find(self, tx: Transaction, stream_id: str) -> Stream | None:
        """The stream; None also when its receiver is not registered any more."""
        ...

    def hold(self, tx: Transaction, stream_id: str) -> Stream | None:
        """The stream, which nobody else changes or collects from until this transaction ends."""
        ...

    def of_client(self, tx: Transaction, client_id: str) -> list[Stream]:
        """Oldest first."""
        ...

    def list(self, tx: Transaction) -> list[Stream]:
        """All of them, oldest first."""
        ...

    def listening(self, tx: Transaction) -> Sequence[Listening]:
        """Those that are not disabled."""
        ...

    def authorization(self, tx: Transaction, stream_id: str) -> bytes | None:
        """What its endpoint asks for, sealed."""
        ...

    def change(self, tx: Transaction, stream: Stream, sealed_authorization: bytes | None) -> None:
        """Everything that its receiver may change."""
        ...

    def set_status(self, tx: Transaction, stream: Stream) -> None: ...

    def set_verified(self, tx: Transaction, stream_id: str, *, now: float, not_since: float) -> bool:
        """False when it was verified after that time."""
        ...

    def remove(self, tx: Transaction, stream_id: str) -> bool:
        """With its subjects."""
        ...

    def name_subject(self, tx: Transaction, stream_id: str, covered: str, *, most: int) -> bool:
        """Once is enough; False when it names as many as it may."""
        ...

    def forget_subject(self, tx: Transaction, stream_id: str, covered: str) -> None: ...

    def names_subject(self, tx: Transaction, stream_id: str, covered: Sequence[str]) -> bool:
        """Whether it names any of them."""
        ...


class Collected(NamedTuple):
    """What one poll takes: message ids with their SETs, oldest first, and whether more waits."""

    messages: list[tuple[str, bytes]]
    has_more: bool


class Mailbox(Protocol):
    """What waits for streams that are polled."""

    def has_some(self, tx: Transaction, stream_id: str, now: float) -> bool: ...

    def collect(self, tx: Transaction, stream_id: str, *, now: float, until: float, limit: int) -> Collected:
        """The oldest, for this poll alone until that time; nothing whose subject has an earlier one with another
        poll."""
        ...

    def settle(self, tx: Transaction, stream_id: str, message_ids: Sequence[str], now: float) -> int:
        """Their receiver has them; how many waited."""
        ...

    def refuse(self, tx: Transaction, stream_id: str, message_id: str, *, error: str, now: float) -> bool:
        """Their receiver will never take it: it stays, and says why."""
        ...

    def hasten(self, tx: Transaction, stream_id: str, now: float) -> None:
        """Whatever waits may go at once, in its order."""
        ...


class SetCodec(Protocol):
    """Signs Security Event Tokens."""

    def signed(self, claims: SetClaims, algorithm: SigningAlgorithm) -> bytes:
        """The token in its compact form."""
        ...

    def fresh(self, token: bytes) -> bytes:
        """The token as it is; or, when the key that signed it is not published any more, what it says signed anew."""
        ...
