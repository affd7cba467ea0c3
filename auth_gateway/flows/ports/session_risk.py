"""What is needed of others to answer the risk of sessions."""

from typing import Protocol

import msgspec

from auth_gateway.core.session_risk import Effect, KeptSignal
from plumbing.statements import Transaction


class SessionSignals(Protocol):
    """What the scorer signalled, each signal once."""

    def keep(self, tx: Transaction, signal: KeptSignal) -> bool:
        """False when one of its id was kept before, by whichever process; then nothing may be done for it."""
        ...

    def note(self, tx: Transaction, signal_id: str, effect: Effect) -> None:
        """What was done."""
        ...

    def of_user(self, tx: Transaction, user_id: str, limit: int) -> list[KeptSignal]:
        """The latest about a person, the newest first."""
        ...


class Shields(Protocol):
    """Accounts that nobody gets into until somebody has looked."""

    def shield(self, tx: Transaction, user_id: str) -> bool:
        """Freeze the account until a review; False when it was already, by an operator or until a review. Either way no
        review that has begun before lifts it."""
        ...

    def lift(self, tx: Transaction, user_id: str, *, expected_version: int) -> bool:
        """Open the account, by compare-and-set; False when it is open, or was frozen again since that version."""
        ...


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """What the scorer knows of what a person does, as it says it; `missing` is why nothing is known here."""

    told: msgspec.Raw | None = None
    missing: str | None = None


class Behaviours(Protocol):
    """Who knows what people do. Fails to "not known": a reviewer is shown the rest."""

    async def of(self, user_id: str) -> Behaviour: ...


class NobodyKnows:
    """Nobody is asked."""

    async def of(self, user_id: str) -> Behaviour:
        return Behaviour(missing="not_asked")
