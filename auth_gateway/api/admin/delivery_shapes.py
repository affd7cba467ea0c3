"""The shapes that `/admin/deliveries` takes and answers with."""

from typing import Annotated

import msgspec
from msgspec import Meta

from auth_gateway.core.receiver import ReceiverKind, ReceiverState
from auth_gateway.flows.deliveries import Delivered
from auth_gateway.flows.receivers import StandingReceiver

MOST_BYTES = 4_096


class RetryBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /admin/deliveries/{receiver}/retry`: the message; left out, up to 2,000 that are dead."""

    message_id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None


class ShownReceiver(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who gets messages. `place` is the host, or the file: the rest of an address may hold a secret. Up to
    1,000 messages are counted; times are epoch seconds. `delivered_at` is the last success among the newest 200,
    `failed_at` when the message that was refused last was made, or given up."""

    receiver: str
    name: str
    kind: ReceiverKind
    way: str
    place: str
    state: ReceiverState
    reason: str
    can_test: bool
    can_replay: bool
    waiting: int
    oldest_at: float | None
    dead: int
    delivered_at: float | None
    failed_at: float | None
    failed_status: int | None
    failed_error: str | None


class ShownReceivers(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, up to 500."""

    receivers: list[ShownReceiver]


class ReceiverDeliveries(msgspec.Struct, frozen=True, kw_only=True):
    """One of them, and messages to it, the newest first; `next` goes on, as `before`."""

    receiver: ShownReceiver
    deliveries: tuple[Delivered, ...]
    next: str | None


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A test message is on its way; null where a stream has it as its verification."""

    message_id: str | None = None


SHAPES = (RetryBody, ShownReceivers, ReceiverDeliveries, Sent)


def shown_receiver(found: StandingReceiver) -> ShownReceiver:
    """As programs are told of it."""
    told = {**msgspec.structs.asdict(found.receiver), **msgspec.structs.asdict(found.standing)}
    return ShownReceiver(**told)
