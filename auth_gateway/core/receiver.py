"""Whoever gets messages of this gateway, as those see it who look after deliveries. No secret, no whole address."""

from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from auth_gateway.core.destination import Destination
from auth_gateway.core.ssf.stream import PUSH, Stream

ReceiverKind = Literal["destination", "stream", "setting"]
ReceiverState = Literal["enabled", "paused", "disabled"]
ENABLED: Final = "enabled"


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """One of them: `receiver` is what the outbox knows it by. A `setting` is one that the gateway's settings name.

    `way` is how messages travel (webhook, syslog, file, push, poll), `place` the host, or the file, that they go to:
    the rest of an address may hold a secret. `can_test` and `can_replay` say what may be asked of it.
    """

    receiver: str
    name: str
    kind: ReceiverKind
    way: str
    place: str
    state: ReceiverState
    reason: str = ""
    can_test: bool = False
    can_replay: bool = False


def of_destination(found: Destination) -> Receiver:
    """A destination of events."""
    return Receiver(
        receiver=found.destination_id,
        name=found.name,
        kind="destination",
        way=found.kind,
        place=place_of(found.url),
        state=ENABLED if found.disabled_at is None else "disabled",
        reason=found.disabled_reason,
        can_test=found.disabled_at is None,
        can_replay=found.disabled_at is None,
    )


def of_stream(found: Stream) -> Receiver:
    """A stream of Shared Signals, by the application whose it is."""
    return Receiver(
        receiver=found.stream_id,
        name=found.client_id,
        kind="stream",
        way="push" if found.method == PUSH else "poll",
        place=place_of(found.endpoint_url),
        state=found.status,
        reason=found.reason,
        can_test=found.status != "disabled",
    )


def of_setting(name: str, address: str, *, is_stopped: bool) -> Receiver:
    """One that settings name; one that answered 410 gets nothing until the next start."""
    return Receiver(
        receiver=name,
        name=name,
        kind="setting",
        way="webhook",
        place=place_of(address),
        state="disabled" if is_stopped else ENABLED,
        reason="gone" if is_stopped else "",
    )


def place_of(address: str) -> str:
    """The host of an address, or the file's name: nothing that could be a secret. "" where there is none."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme == "file":
        return parts.path
    if host is None:
        return ""
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"
