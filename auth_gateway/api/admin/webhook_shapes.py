"""The shapes that `/admin/webhooks` takes and answers with."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from auth_gateway.core.destination import (
    LONGEST_TENANT,
    LONGEST_URL,
    Destination,
    DestinationKind,
    Filter,
    Folding,
    Format,
    Privacy,
)
from auth_gateway.core.destination_change import DestinationChange
from auth_gateway.core.replay import Replay, ReplayState
from auth_gateway.flows.deliveries import Delivered

MOST_BYTES = 32_768
MOST_TYPES = 100

Moment = Annotated[datetime, Meta(tz=True)]


class WebhookBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /admin/webhooks`; what is left out is as little of the person as is usual, and every event."""

    name: Annotated[str, Meta(max_length=64)]
    url: Annotated[str, Meta(max_length=LONGEST_URL)]
    kind: DestinationKind = "webhook"
    format: Format = "standard"
    filter: Filter = Filter()
    privacy: Privacy = Privacy()
    folding: Folding | None = None
    tenant: Annotated[str, Meta(max_length=LONGEST_TENANT)] = ""


class OverlapBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /admin/webhooks/{name}/rotate-secret`: for how long the old secret signs too."""

    overlap_seconds: int = 86_400


class DisableBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /admin/webhooks/{name}/disable`: the reason that others are told."""

    reason: Annotated[str, Meta(min_length=1, max_length=200)] = "by_operator"


class ReplayBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`POST /admin/webhooks/{name}/replays`: events from one moment to before another, both with a zone; `to` left out
    is now, `types` left out is every one that the destination takes."""

    since: Moment = msgspec.field(name="from")
    until: Moment | None = msgspec.field(name="to", default=None)
    types: Annotated[tuple[str, ...], Meta(max_length=MOST_TYPES)] = ()


class ShownWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """One who is told of events; its secret is not here. Times are epoch seconds."""

    destination_id: str
    name: str
    kind: DestinationKind
    url: str
    format: Format
    filter: Filter
    privacy: Privacy
    folding: Folding | None
    tenant: str
    created_at: float
    disabled_at: float | None
    disabled_reason: str


class AddedWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A new one, and its secret, this once; null for kinds that sign nothing."""

    webhook: ShownWebhook
    secret: str | None


class NewSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A new secret, this once."""

    secret: str


class Webhooks(msgspec.Struct, frozen=True, kw_only=True):
    """All of them, by name."""

    webhooks: list[ShownWebhook]


class ShownDeliveries(msgspec.Struct, frozen=True, kw_only=True):
    """Messages, the newest first; `next` goes on, as `before`."""

    deliveries: tuple[Delivered, ...]
    next: str | None


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages are tried again."""

    retried: int


class ShownReplay(msgspec.Struct, frozen=True, kw_only=True):
    """A span that is told again, and how many messages it has made. Times are epoch seconds."""

    replay_id: str
    state: ReplayState
    since: float = msgspec.field(name="from")
    until: float = msgspec.field(name="to")
    types: tuple[str, ...]
    messages: int
    asked_at: float
    ended_at: float | None


class ShownReplays(msgspec.Struct, frozen=True, kw_only=True):
    """Replays, the newest first."""

    replays: list[ShownReplay]


SHAPES = (
    WebhookBody,
    DestinationChange,
    OverlapBody,
    DisableBody,
    ReplayBody,
    AddedWebhook,
    NewSecret,
    Webhooks,
    Delivered,
    ShownDeliveries,
    Retried,
    ShownReplays,
)


def shown_webhook(found: Destination) -> ShownWebhook:
    """As programs are told of it."""
    return ShownWebhook(**{name: getattr(found, name) for name in ShownWebhook.__struct_fields__})


def shown_replay(found: Replay) -> ShownReplay:
    """As programs are told of it."""
    return ShownReplay(**{name: getattr(found, name) for name in ShownReplay.__struct_fields__})
