"""What holds an attempt up: its score, and the count of those before it."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Final, Protocol

import msgspec

from auth_gateway.core.throttle import ThrottleKey
from risk_scorer.contract.assessment import RiskScore
from risk_scorer.contract.events import LoginEvent

UNSCORED: Final[ContextVar[str]] = ContextVar("unscored", default="")
"""Why the request under way has no score, as a code; "" where it has one or nobody asked. It goes beside the answer and
not in it: "no score" is one value, and no decision may hang on the cause."""


class Scorer(Protocol):
    """The risk scorer behind one total deadline."""

    async def score(self, event: LoginEvent) -> RiskScore | None:
        """The score, or None when there is none in time or in shape: fails to a challenge, never to an allow.

        Says in `UNSCORED` why there is none.
        """
        ...


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that was counted at `at` (`wait_seconds` 0), or was not and must wait."""

    keys: tuple[ThrottleKey, ...]
    at: float
    wait_seconds: float = 0.0


class Throttle(Protocol):
    """Counters of attempts. Fails closed by design: they are in memory, bounded, and evict the idle first."""

    async def reserve(self, keys: Sequence[ThrottleKey], now: float) -> Reservation:
        """Count one attempt against all keys, or none of them when one must wait; in one step."""
        ...

    async def refund(self, reservation: Reservation) -> None:
        """Give one counted attempt back."""
        ...
