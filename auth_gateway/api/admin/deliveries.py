"""`/admin/deliveries`: everybody who gets messages of this gateway, how each stands, and what is dead once more."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.api.admin.asked import before_of, limit_of, part_of, status_of
from auth_gateway.api.admin.delivery_shapes import (
    MOST_BYTES,
    ReceiverDeliveries,
    RetryBody,
    Sent,
    ShownReceivers,
    shown_receiver,
)
from auth_gateway.api.admin.gate import AdminGate
from auth_gateway.api.admin.webhook_shapes import Retried
from auth_gateway.flows.deliveries import Deliveries
from auth_gateway.flows.receivers import Receivers
from plumbing.asgi import json_answer
from plumbing.bodies import decode, read_body, require_json
from plumbing.refusals import Refused

Verify = Callable[[str, str], Awaitable[None]]
"""Sends a stream, of that application, an event that says nothing but that it arrived."""

_retry = msgspec.json.Decoder(RetryBody)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRoutes:
    """What programs with the scope `webhooks:manage` do. Every method raises what the gate refuses, and 404
    `unknown_receiver`; `wake` is called when something is to be sent."""

    gate: AdminGate
    receivers: Receivers
    deliveries: Deliveries
    verify: Verify
    wake: Callable[[], None]

    async def get_all(self, request: Request) -> Response:
        """All of them."""
        await self._caller(request)
        found = await asyncio.to_thread(self.receivers.list)
        return json_answer(ShownReceivers(receivers=[shown_receiver(each) for each in found]))

    async def get_one(self, request: Request) -> Response:
        """One of them, with a page of its messages.

        Raises: Refused `invalid_page` (400), `invalid_request` (422).
        """
        await self._caller(request)
        receiver, status, limit, before = _receiver(request), status_of(request), limit_of(request), before_of(request)
        found = await asyncio.to_thread(self.receivers.find, receiver)
        page = await asyncio.to_thread(lambda: self.receivers.page(receiver, status=status, limit=limit, before=before))
        return json_answer(
            ReceiverDeliveries(receiver=shown_receiver(found), deliveries=page.deliveries, next=page.following)
        )

    async def post_retry(self, request: Request) -> Response:
        """One message, or what is dead, tried at once.

        Raises: Refused `unknown_delivery` (404), `already_delivered`, `receiver_disabled` (409).
        """
        caller, receiver = await self._caller(request), _receiver(request)
        raw = await read_body(request, max_bytes=MOST_BYTES)
        body = RetryBody()
        if raw:
            require_json(request)
            body = decode(_retry, raw)
        count = await asyncio.to_thread(lambda: self.receivers.retry(receiver, body.message_id, by=caller))
        self.wake()
        return json_answer(Retried(retried=count), status=202)

    async def post_test(self, request: Request) -> Response:
        """A message that says nothing but that it arrived is on its way.

        Raises: Refused `no_test`, `destination_disabled` (409), `stream_disabled` (400), `too_soon` (429).
        """
        caller, receiver = await self._caller(request), _receiver(request)
        found = (await asyncio.to_thread(self.receivers.find, receiver)).receiver
        if found.kind == "destination":
            sent = await asyncio.to_thread(lambda: self.deliveries.test(receiver, by=caller))
            self.wake()
            return json_answer(Sent(message_id=sent.message_id), status=202)
        if found.kind != "stream":
            raise Refused("no_test", "what settings name takes no test message", status=409)
        await self.verify(found.name, receiver)
        return json_answer(Sent(), status=202)

    async def _caller(self, request: Request) -> str:
        return await self.gate(request, "webhooks:manage")


def _receiver(request: Request) -> str:
    return part_of(request, "receiver", "unknown_receiver")
