"""The gateway's receivers, asked at its admin API with the console's own credentials."""

from __future__ import annotations

from datetime import datetime
from types import NoneType
from typing import Final

import msgspec

from risk_scorer.core.console.addresses import path_part
from risk_scorer.core.console.deliveries import Receiver, ReceiverPage, Receivers, Replay, Replays
from risk_scorer.flows.console.ports import Gateway

ROOT: Final = "/admin/deliveries"
WEBHOOKS: Final = "/admin/webhooks"
PAGE_ROWS: Final = 50


class _Retried(msgspec.Struct):
    retried: int


class _Anything(msgspec.Struct):
    """An answer of which nothing is used."""


class GatewayDeliveries:
    """One gateway's. Raises what the client raises."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def receivers(self) -> list[Receiver]:
        """All of them."""
        return (await self._gateway.ask("GET", ROOT, Receivers)).receivers

    async def page(self, receiver: str, *, status: str, before: str) -> ReceiverPage:
        """One with its messages."""
        asked = {"status": status, "before": before}
        query: dict[str, str | int] = {name: value for name, value in asked.items() if value}
        return await self._gateway.ask("GET", _one(receiver), ReceiverPage, query={**query, "limit": PAGE_ROWS})

    async def replays(self, receiver: str) -> list[Replay]:
        """Spans that it is or was told again."""
        return (await self._gateway.ask("GET", f"{_webhook(receiver)}/replays", Replays)).replays

    async def retry(self, receiver: str, message_id: str | None) -> int:
        """One message tried at once, or those that are dead."""
        body = {} if message_id is None else {"message_id": message_id}
        return (await self._gateway.ask("POST", f"{_one(receiver)}/retry", _Retried, body=body)).retried

    async def test(self, receiver: str) -> None:
        """A test message is on its way."""
        await self._gateway.ask("POST", f"{_one(receiver)}/test", _Anything)

    async def replay(self, receiver: str, since: datetime, until: datetime | None) -> None:
        """A span is told again."""
        body = {"from": since, **({} if until is None else {"to": until})}
        await self._gateway.ask("POST", f"{_webhook(receiver)}/replays", _Anything, body=body)

    async def stop(self, receiver: str) -> None:
        """The replay that runs ends."""
        await self._gateway.ask("DELETE", f"{_webhook(receiver)}/replays/running", NoneType)

    async def pause(self, receiver: str, reason: str) -> None:
        """Nothing is sent any more."""
        await self._gateway.ask("POST", f"{_webhook(receiver)}/disable", _Anything, body={"reason": reason})

    async def resume(self, receiver: str) -> None:
        """What waits is sent."""
        await self._gateway.ask("POST", f"{_webhook(receiver)}/enable", _Anything)


def _one(receiver: str) -> str:
    return f"{ROOT}/{path_part(receiver)}"


def _webhook(receiver: str) -> str:
    return f"{WEBHOOKS}/{path_part(receiver)}"
