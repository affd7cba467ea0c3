"""A span of the event log that one destination is told again. Values alone."""

from typing import Literal

import msgspec

from auth_gateway.core.destination import Filter
from auth_gateway.core.event import Event

ReplayState = Literal["running", "done", "stopped"]


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What is told again: events from `since` to before `until`, of `types` as in a filter (none named: every one), as
    far as the destination takes them. Everything up to the line at `at_ts` and `at_seq` is told; `messages` it made."""

    replay_id: str
    destination_id: str
    since: float
    until: float
    types: tuple[str, ...] = ()
    at_ts: float
    at_seq: int = 0
    messages: int = 0
    asked_at: float
    ended_at: float | None = None
    is_stopped: bool = False

    @property
    def state(self) -> ReplayState:
        """Whether there is more to come, and if not, why."""
        if self.ended_at is None:
            return "running"
        return "stopped" if self.is_stopped else "done"

    def takes(self, event: Event) -> bool:
        """Whether it is of the types that were asked for."""
        return Filter(types=self.types).takes(event)

    def message_id(self, message_id: str) -> str:
        """What a message that was `message_id` the first time is called in this replay: a new message, so that nobody
        drops it as a repetition, and the same in every attempt."""
        return f"{message_id}.{self.replay_id}"
