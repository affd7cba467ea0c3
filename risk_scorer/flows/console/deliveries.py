"""Those who get messages, of the gateway and of this scorer: two desks of one shape, and what people ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from plumbing.refusals import Refused
from risk_scorer.core.console.deliveries import Receiver, ReceiverPage, Replay, Side


class DeliveryDesk(Protocol):
    """One side. Everything raises Refused: of the gateway as `flows.console.ports.Gateway` says."""

    async def receivers(self) -> list[Receiver]:
        """All of them."""
        ...

    async def page(self, receiver: str, *, status: str, before: str) -> ReceiverPage:
        """One with its messages; "" is any status, and the newest. Raises: Refused `unknown_receiver` (404)."""
        ...

    async def replays(self, receiver: str) -> list[Replay]:
        """Spans that it is or was told again, the newest first."""
        ...

    async def retry(self, receiver: str, message_id: str | None) -> int:
        """One message tried at once, None: those that are dead; how many."""
        ...

    async def test(self, receiver: str) -> None:
        """A message that says nothing but that it arrived is on its way."""
        ...

    async def replay(self, receiver: str, since: datetime, until: datetime | None) -> None:
        """A span is told again, None: until now."""
        ...

    async def stop(self, receiver: str) -> None:
        """The replay that runs ends."""
        ...

    async def pause(self, receiver: str, reason: str) -> None:
        """Nothing is sent any more; what waits waits."""
        ...

    async def resume(self, receiver: str) -> None:
        """What waits is sent."""
        ...


@dataclass(frozen=True)
class SideFound:
    """What one side tells: its receivers, or why it tells nothing."""

    side: Side
    receivers: list[Receiver]
    problem: Refused | None = None


class AllDeliveries:
    """Both sides: one that is away takes the other's place in nothing."""

    def __init__(self, desks: Mapping[Side, DeliveryDesk]) -> None:
        self._desks = desks

    def desk(self, side: str) -> DeliveryDesk:
        """That side. Raises: Refused `unknown_receiver` (404)."""
        for name, desk in self._desks.items():
            if side == name:
                return desk
        raise Refused("unknown_receiver", "Messages are the gateway's or the scorer's.", status=404)

    async def all(self) -> list[SideFound]:
        """Every receiver, side by side."""
        return [await self._found(side, desk) for side, desk in self._desks.items()]

    async def _found(self, side: Side, desk: DeliveryDesk) -> SideFound:
        try:
            return SideFound(side, await desk.receivers())
        except Refused as refused:
            return SideFound(side, [], refused)
