"""Who gets messages, of the gateway or of this scorer, and how each stands, as the console reads and shows it. Unknown
fields are left alone, so that a newer gateway may say more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal

from msgspec import Struct, field

from risk_scorer.contract.assessment import RiskLevel

Side = Literal["gateway", "scorer"]
LATE_SECONDS: Final = 900.0
"""As the alert RiskgateOutboxOld has it."""
MOST_COUNTED: Final = 1_000
"""As `webhooks.standing` counts: more is "at least so many"."""


class Receiver(Struct, frozen=True, kw_only=True):
    """One who gets messages; `place` is a host or a file, never a whole address. Times are epoch seconds."""

    receiver: str
    name: str
    kind: str
    way: str
    place: str
    state: str
    reason: str = ""
    can_test: bool = False
    can_replay: bool = False
    waiting: int = 0
    oldest_at: float | None = None
    dead: int = 0
    delivered_at: float | None = None
    failed_at: float | None = None
    failed_status: int | None = None
    failed_error: str | None = None


class Receivers(Struct, frozen=True, kw_only=True):
    """All of one side."""

    receivers: list[Receiver]


class Message(Struct, frozen=True, kw_only=True):
    """One message and how it stands; `folded` is how many more events it stands for."""

    message_id: str
    event_type: str
    status: str
    created_at: float
    attempts: int
    next_attempt_at: float | None = None
    delivered_at: float | None = None
    dead_at: float | None = None
    last_status: int | None = None
    last_error: str | None = None
    folded: int = 0


class ReceiverPage(Struct, frozen=True, kw_only=True):
    """One of them with a page of messages, the newest first; `next` goes on, as `before`."""

    receiver: Receiver
    deliveries: list[Message]
    next: str | None = None


class Replay(Struct, frozen=True, kw_only=True):
    """A span that is or was told again."""

    replay_id: str
    state: str
    since: float = field(name="from")
    until: float = field(name="to")
    messages: int = 0
    asked_at: float = 0.0


class Replays(Struct, frozen=True, kw_only=True):
    """The newest first."""

    replays: list[Replay]


class Condition(Struct, frozen=True):
    """How a receiver does in a word, and how loud to say it."""

    word: str
    level: RiskLevel

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return ("high", "medium", "low").index(self.level)


def condition_of(receiver: Receiver, now: float) -> Condition:
    """The worst that can be said of it."""
    if receiver.state == "disabled":
        return Condition("disabled", "high")
    if receiver.dead:
        return Condition("has dead messages", "high")
    if receiver.state == "paused":
        return Condition("paused", "medium")
    if receiver.oldest_at is not None and now - receiver.oldest_at > LATE_SECONDS:
        return Condition("late", "medium")
    if receiver.waiting and receiver.failed_at is not None:
        return Condition("attempts fail", "medium")
    return Condition("well", "low")


def moment_in(text: str) -> datetime | None:
    """The moment that a form names, in UTC where it names no zone; None for what is no moment."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def counted(number: int) -> str:
    """A count that ends at a thousand."""
    return f"{number:,}" if number < MOST_COUNTED else f"at least {number:,}"
