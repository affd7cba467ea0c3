"""Other providers whose events we take."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from auth_gateway.core.ssf.received import ReceivedEvent
from auth_gateway.core.ssf.set_error import SetRefused
from auth_gateway.core.ssf.transmitter import Standing, Transmitter
from plumbing.statements import Transaction

Counter = Literal["taken", "unknown_subject", "not_understood", "repeated"]


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What one poll brought: tokens by their `jti`, and whether more wait."""

    sets: Mapping[str, str] = {}
    more_available: bool = False


class Transmitters(Protocol):
    """They, and what has come of each."""

    def add(
        self,
        tx: Transaction,
        transmitter: Transmitter,
        *,
        bearer_digest: bytes | None,
        sealed_poll_token: bytes | None,
    ) -> bool:
        """False when there is one of this name."""
        ...

    def find(self, tx: Transaction, transmitter_id: str) -> Transmitter | None: ...

    def named(self, tx: Transaction, name: str) -> Transmitter | None: ...

    def list(self, tx: Transaction) -> list[Transmitter]:
        """By name."""
        ...

    def bearer_digest(self, tx: Transaction, transmitter_id: str) -> bytes | None: ...

    def poll_token(self, tx: Transaction, transmitter_id: str) -> bytes | None:
        """The token that its poll endpoint asks for, sealed."""
        ...

    def change(self, tx: Transaction, transmitter: Transmitter) -> bool:
        """Write its terms anew; False when it is gone."""
        ...

    def set_disabled(self, tx: Transaction, transmitter_id: str, *, at: float | None) -> bool:
        """False when it is so already."""
        ...

    def remove(self, tx: Transaction, transmitter_id: str) -> bool: ...

    def standing(self, tx: Transaction, transmitter_id: str) -> Standing: ...

    def count(self, tx: Transaction, transmitter_id: str, counters: Sequence[Counter], now: float) -> None:
        """One more of each."""
        ...

    def note_verified(self, tx: Transaction, transmitter_id: str, state: str, now: float) -> None: ...

    def note_status(self, tx: Transaction, transmitter_id: str, status: str, reason: str) -> None: ...

    def note_poll(self, tx: Transaction, transmitter_id: str, *, problem: str, now: float) -> None: ...


class SetReader(Protocol):
    """Reads tokens of others."""

    async def __call__(self, token: str, transmitter: Transmitter, now: float) -> ReceivedEvent:
        """The event of a token that this transmitter signed.

        Raises: SetRefused; Refused `keys_unavailable` (503) when nobody can say now whether it is right: fails closed,
        and the transmitter sends it again.
        """
        ...


class RemoteStreams(Protocol):
    """Streams of others that we poll (RFC 8936)."""

    async def __call__(
        self,
        transmitter: Transmitter,
        authorization: str,
        *,
        acknowledged: Sequence[str],
        refused: Mapping[str, SetRefused],
        most: int,
    ) -> Fetched:
        """What waits there, at once.

        Raises: Refused `poll_failed` (503), its evidence the `problem`.
        """
        ...
