"""Who wants to be told of events: which ones, in what form, and how much of the person. Values and pure rules."""

from typing import Literal

import msgspec

from auth_gateway.core.event import Event

PREFIX = "dst_"
"""What a destination's id begins with; the id is its name in the outbox."""

DestinationKind = Literal["webhook", "syslog", "file", "ssf"]
Format = Literal["standard", "ocsf", "ecs", "cef"]
AddressForm = Literal["full", "prefix", "keyed_hash", "none"]
UserForm = Literal["name", "id", "keyed_hash"]


class Filter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which events: of these types (`login.*` is all of a family; none named: every one), from this score on where an
    event has a score, at these applications."""

    types: tuple[str, ...] = ()
    min_score: float = 0.0
    clients: tuple[str, ...] = ()

    def takes(self, event: Event) -> bool:
        """Whether it is told. An event without a score passes the mark: nobody knows that it is harmless."""
        if self.types and event.type not in self.types and f"{event.type.partition('.')[0]}.*" not in self.types:
            return False
        if event.score is not None and event.score < self.min_score:
            return False
        return not self.clients or event.client_id in self.clients


class Privacy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the person is told. What is not asked for stays here."""

    ip: AddressForm = "prefix"
    user: UserForm = "id"
    user_agent: bool = False


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """One who is told. `tenant` "" is the gateway's own; `url` is an address, or a path for a file. Its secrets are not
    here."""

    destination_id: str
    name: str
    kind: DestinationKind
    url: str
    format: Format = "standard"
    filter: Filter = Filter()
    privacy: Privacy = Privacy()
    tenant: str = ""
    created_at: float = 0.0
    disabled_at: float | None = None
    disabled_reason: str = ""
