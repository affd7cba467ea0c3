"""`/admin/webhooks`: who is told of events, what became of the messages, and a span told again, for programs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.admin.asked import before_of, limit_of, part_of, status_of
from auth_gateway.api.admin.gate import AdminGate
from auth_gateway.api.admin.webhook_shapes import (
    MOST_BYTES,
    AddedWebhook,
    DisableBody,
    NewSecret,
    OverlapBody,
    ReplayBody,
    Retried,
    ShownDeliveries,
    ShownReplay,
    ShownReplays,
    WebhookBody,
    Webhooks,
    shown_replay,
    shown_webhook,
)
from auth_gateway.core.destination import Destination
from auth_gateway.core.destination_change import DestinationChange
from auth_gateway.flows.deliveries import Deliveries
from auth_gateway.flows.destinations import Listeners
from auth_gateway.flows.replays import AskReplays
from plumbing.asgi import json_answer
from plumbing.bodies import decode, read_body, require_json

T = TypeVar("T")

_new = msgspec.json.Decoder(WebhookBody)
_change = msgspec.json.Decoder(DestinationChange)
_overlap = msgspec.json.Decoder(OverlapBody)
_disable = msgspec.json.Decoder(DisableBody)
_replay = msgspec.json.Decoder(ReplayBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRoutes:
    """What programs with the scope `webhooks:manage` do. Every method raises what the gate refuses, and 404
    `unknown_destination`; `wake` is called when something is to be sent."""

    gate: AdminGate
    listeners: Listeners
    deliveries: Deliveries
    replays: AskReplays
    wake: Callable[[], None]

    async def get_all(self, request: Request) -> Response:
        """All of them."""
        await self._caller(request)
        found = await asyncio.to_thread(self.listeners.list)
        return json_answer(Webhooks(webhooks=[shown_webhook(each) for each in found]))

    async def post_new(self, request: Request) -> Response:
        """Another one, with its secret, this once.

        Raises: Refused `invalid_destination` (400), `destination_exists` (409).
        """
        caller = await self._caller(request)
        body: WebhookBody = await self._body(request, _new)
        wanted = Destination(destination_id="", **msgspec.structs.asdict(body))
        secrets: list[str] = []
        made = await asyncio.to_thread(lambda: self.listeners.add(wanted, show=secrets.append, by=caller))
        self.wake()
        answer = AddedWebhook(webhook=shown_webhook(made), secret=secrets[0] if secrets else None)
        return json_answer(answer, status=201)

    async def get_one(self, request: Request) -> Response:
        """One of them."""
        await self._caller(request)
        return json_answer(shown_webhook(await asyncio.to_thread(self.listeners.find, _name(request))))

    async def patch_one(self, request: Request) -> Response:
        """Other terms for one of them.

        Raises: Refused `invalid_destination` (400).
        """
        caller = await self._caller(request)
        name, body = _name(request), await self._body(request, _change)
        changed = await asyncio.to_thread(lambda: self.listeners.update(name, body, by=caller))
        self.wake()
        return json_answer(shown_webhook(changed))

    async def delete_one(self, request: Request) -> Response:
        """One less."""
        caller = await self._caller(request)
        name = _name(request)
        await asyncio.to_thread(lambda: self.listeners.remove(name, by=caller))
        self.wake()
        return Response(status_code=204)

    async def post_enable(self, request: Request) -> Response:
        """Told again; also when it was."""
        caller = await self._caller(request)
        name = _name(request)
        return await self._changed(name, lambda: self.listeners.enable(name, by=caller))

    async def post_disable(self, request: Request) -> Response:
        """Told nothing; also when it was not."""
        caller = await self._caller(request)
        name, body = _name(request), await self._body(request, _disable, empty=DisableBody())
        return await self._changed(name, lambda: self.listeners.disable(name, reason=body.reason, by=caller))

    async def post_rotate_secret(self, request: Request) -> Response:
        """A new secret, this once.

        Raises: Refused `invalid_overlap`, `no_secret` (400), `overlap_running` (409).
        """
        caller = await self._caller(request)
        name, body = _name(request), await self._body(request, _overlap, empty=OverlapBody())
        secrets: list[str] = []

        def rotate() -> None:
            self.listeners.rotate_secret(name, overlap_seconds=body.overlap_seconds, show=secrets.append, by=caller)

        await asyncio.to_thread(rotate)
        self.wake()
        return json_answer(NewSecret(secret=secrets[0]))

    async def post_test(self, request: Request) -> Response:
        """A test message is on its way.

        Raises: Refused `destination_disabled` (409).
        """
        caller = await self._caller(request)
        name = _name(request)
        sent = await asyncio.to_thread(lambda: self.deliveries.test(name, by=caller))
        self.wake()
        return json_answer(sent, status=202)

    async def get_deliveries(self, request: Request) -> Response:
        """A page of messages.

        Raises: Refused `invalid_page` (400), `invalid_request` (422).
        """
        await self._caller(request)
        name, status, limit = _name(request), status_of(request), limit_of(request)
        before = before_of(request)
        page = await asyncio.to_thread(lambda: self.deliveries.page(name, status=status, limit=limit, before=before))
        return json_answer(ShownDeliveries(deliveries=page.deliveries, next=page.following))

    async def get_delivery(self, request: Request) -> Response:
        """One message.

        Raises: Refused `unknown_delivery` (404).
        """
        await self._caller(request)
        name, message_id = _name(request), part_of(request, "message_id", "unknown_delivery")
        return json_answer(await asyncio.to_thread(self.deliveries.find, name, message_id))

    async def post_retry(self, request: Request) -> Response:
        """One message, tried at once.

        Raises: Refused `unknown_delivery` (404), `already_delivered`, `destination_disabled` (409).
        """
        caller = await self._caller(request)
        name, message_id = _name(request), part_of(request, "message_id", "unknown_delivery")
        sent = await asyncio.to_thread(lambda: self.deliveries.retry(name, message_id, by=caller))
        self.wake()
        return json_answer(sent, status=202)

    async def post_retry_dead(self, request: Request) -> Response:
        """Everything dead, tried at once.

        Raises: Refused `destination_disabled` (409).
        """
        caller = await self._caller(request)
        name = _name(request)
        count = await asyncio.to_thread(lambda: self.deliveries.retry_dead(name, by=caller))
        self.wake()
        return json_answer(Retried(retried=count), status=202)

    async def get_replays(self, request: Request) -> Response:
        """Spans that were told again."""
        await self._caller(request)
        found = await asyncio.to_thread(self.replays.list, _name(request))
        return json_answer(ShownReplays(replays=[shown_replay(each) for each in found]))

    async def post_replay(self, request: Request) -> Response:
        """A span is told again.

        Raises: Refused `invalid_span` (400), `replay_running`, `destination_disabled` (409).
        """
        caller = await self._caller(request)
        name, body = _name(request), await self._body(request, _replay)
        since = body.since.timestamp()

        def begin() -> ShownReplay:
            until = self.listeners.clock.now() if body.until is None else body.until.timestamp()
            return shown_replay(self.replays.begin(name, since=since, until=until, types=body.types, by=caller))

        return json_answer(await asyncio.to_thread(begin), status=202)

    async def delete_replay(self, request: Request) -> Response:
        """The one that runs ends.

        Raises: Refused `no_replay` (409).
        """
        caller = await self._caller(request)
        name = _name(request)
        await asyncio.to_thread(lambda: self.replays.stop(name, by=caller))
        return Response(status_code=204)

    async def _caller(self, request: Request) -> str:
        return await self.gate(request, "webhooks:manage")

    async def _changed(self, name: str, change: Callable[[], object]) -> Response:
        await asyncio.to_thread(change)
        self.wake()
        return json_answer(shown_webhook(await asyncio.to_thread(self.listeners.find, name)))

    async def _body(self, request: Request, decoder: msgspec.json.Decoder[T], *, empty: T | None = None) -> T:
        raw = await read_body(request, max_bytes=MOST_BYTES)
        if not raw and empty is not None:
            return empty
        require_json(request)
        return decode(decoder, raw)


def _name(request: Request) -> str:
    return part_of(request, "name", "unknown_destination")
