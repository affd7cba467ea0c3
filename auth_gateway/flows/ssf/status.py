"""Receivers pause, stop and resume their streams, and have them prove that they work.

Source: OpenID Shared Signals Framework 1.0, sections 8.1.2 and 8.1.4.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from auth_gateway.core.ssf.security_event import VERIFICATION_TYPE, verification
from auth_gateway.core.ssf.stream import VERIFICATION_INTERVAL_SECONDS, Status, Stream, standing
from auth_gateway.flows.ports import Clients, Clock, Mailbox, OutboxWriter, Randomness, SetCodec, Streams
from auth_gateway.flows.ssf.ownership import held, owned
from plumbing.database import Database
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from webhooks.announcement import message_id


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStatus:
    """Whether a stream's events go out (`enabled`), wait (`paused`) or are not even kept (`disabled`)."""

    database: Database
    clock: Clock
    streams: Streams
    mailbox: Mailbox
    outbox: OutboxWriter
    wake: Callable[[], None]

    async def read(self, client_id: str, stream_id: str) -> dict[str, Any]:
        """The status.

        Raises: Refused `unknown_stream` (404), 503.
        """
        return standing(await self.database.read_in_thread(lambda tx: owned(self.streams, tx, client_id, stream_id)))

    async def set(self, client_id: str, stream_id: str, status: Status, reason: str) -> dict[str, Any]:
        """Another status. What waits goes out when a stream is enabled again, and nowhere once it was disabled.

        Raises: as `read`.
        """
        now = self.clock.now()

        def job(tx: Transaction) -> Stream:
            stream = held(self.streams, tx, client_id, stream_id)
            changed = msgspec.structs.replace(stream, status=status, reason=reason)
            self.streams.set_status(tx, changed)
            if "disabled" in (stream.status, status):
                self.outbox.give_up(tx, endpoint=stream_id, now=now, error="stream_disabled")
            elif status == "enabled" != stream.status:
                self.mailbox.hasten(tx, stream_id, now)
            return changed

        changed = await self.database.write(job)
        self.wake()
        return standing(changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Sends a stream an event that says nothing but that it arrived."""

    database: Database
    clock: Clock
    randomness: Randomness
    streams: Streams
    clients: Clients
    sets: SetCodec
    outbox: OutboxWriter
    issuer: str
    wake: Callable[[], None]

    async def __call__(self, client_id: str, stream_id: str, state: str | None) -> None:
        """It is on its way, behind whatever waits; where the stream is paused it waits too.

        Raises: Refused `unknown_stream` (404), `stream_disabled` (400), `too_soon` (429), 503.
        """
        now, event_id = self.clock.now(), self.randomness.event_id("evt")
        stream, client = await self.database.read_in_thread(
            lambda tx: (owned(self.streams, tx, client_id, stream_id), self.clients.find(tx, client_id))
        )
        claims = verification(stream, issuer=self.issuer, event_id=event_id, state=state, now=now)
        body = self.sets.signed(claims, "ES256" if client is None else client.id_token_signed_response_alg)

        def job(tx: Transaction) -> None:
            if held(self.streams, tx, client_id, stream_id).status == "disabled":
                raise Refused("stream_disabled", "Nothing goes over a stream that is disabled.", status=400)
            not_since = now - VERIFICATION_INTERVAL_SECONDS
            if not self.streams.set_verified(tx, stream_id, now=now, not_since=not_since):
                raise Refused(
                    "too_soon",
                    "This stream was verified a moment ago.",
                    status=429,
                    retry_after_seconds=VERIFICATION_INTERVAL_SECONDS,
                )
            self.outbox.add(
                tx,
                message_id=message_id(event_id),
                endpoint=stream_id,
                event_type=VERIFICATION_TYPE,
                body=body,
                now=now,
            )

        await self.database.write(job)
        self.wake()
