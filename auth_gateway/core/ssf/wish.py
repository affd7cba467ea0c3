"""What a receiver asks of its stream, and what becomes of the stream by it. Where events may be sent is decided by
whoever knows the network.

Source: OpenID Shared Signals Framework 1.0, sections 8.1.1.1 to 8.1.1.4.
"""

import msgspec
from msgspec import UNSET, UnsetType

from auth_gateway.core.ssf.stream import (
    LONGEST_AUTHORIZATION,
    LONGEST_DESCRIPTION,
    POLL,
    PUSH,
    Method,
    Stream,
)
from plumbing.refusals import Refused


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How events shall travel; `authorization` None takes away what there was, UNSET leaves it where the address
    stays."""

    method: str
    endpoint_url: str = ""
    authorization: str | UnsetType | None = UNSET


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is said; UNSET leaves a thing as it is."""

    events_requested: tuple[str, ...] | UnsetType = UNSET
    delivery: Delivery | UnsetType = UNSET
    description: str | UnsetType = UNSET


def whole(wish: Wish) -> Wish:
    """The wish as one that says everything: what it leaves out goes. Events without another way wait to be polled."""
    return Wish(
        events_requested=() if wish.events_requested is UNSET else wish.events_requested,
        delivery=Delivery(method=POLL) if wish.delivery is UNSET else wish.delivery,
        description="" if wish.description is UNSET else wish.description,
    )


def wished(stream: Stream, wish: Wish) -> Stream:
    """The stream as it shall be.

    Raises: Refused `invalid_delivery` (400).
    """
    changed = stream
    if wish.events_requested is not UNSET:
        changed = msgspec.structs.replace(changed, events_requested=tuple(dict.fromkeys(wish.events_requested)))
    if wish.description is not UNSET:
        changed = msgspec.structs.replace(changed, description=wish.description[:LONGEST_DESCRIPTION])
    if wish.delivery is not UNSET:
        method = _method(wish.delivery)
        url = wish.delivery.endpoint_url if method == PUSH else ""
        changed = msgspec.structs.replace(changed, method=method, endpoint_url=url)
    return changed


def authorization_of(before: str | None, stream: Stream, wish: Wish) -> str | None:
    """What its endpoint shall be shown. Another address never sees what was meant for the one before.

    Raises: Refused `invalid_delivery` (400).
    """
    if wish.delivery is UNSET:
        return before
    if wish.delivery.method != PUSH:
        return None
    given = wish.delivery.authorization
    if given is UNSET:
        return before if wish.delivery.endpoint_url == stream.endpoint_url else None
    if given and (len(given) > LONGEST_AUTHORIZATION or not given.isascii() or not given.isprintable()):
        raise _unsound("authorization_header is printable ASCII, and not longer than a header may be")
    return given or None


def _method(delivery: Delivery) -> Method:
    if delivery.method == PUSH:
        return PUSH
    if delivery.method == POLL:
        return POLL
    raise _unsound("method is urn:ietf:rfc:8935 (push) or urn:ietf:rfc:8936 (poll)")


def _unsound(text: str) -> Refused:
    return Refused("invalid_delivery", f"Events cannot be delivered like this: {text}.", status=400)
