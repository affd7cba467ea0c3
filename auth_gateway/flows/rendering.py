"""How an event is written out in each format that destinations may ask for."""

from collections.abc import Callable
from typing import Final

from auth_gateway.core.destination import Format
from auth_gateway.core.event import Event
from auth_gateway.core.told import told
from webhooks.announcement import announcement

Renderer = Callable[[Event], bytes]
"""An event, veiled already → the exact bytes that are stored, signed and sent."""


def standard(event: Event) -> bytes:
    """The shape that Standard Webhooks recommends; `timestamp` is when it happened."""
    return announcement(event.type, at=event.ts, data=told(event))


RENDERERS: Final[dict[Format, Renderer]] = {"standard": standard}


def rendered(event: Event, form: Format) -> bytes:
    """The event in that format."""
    return RENDERERS[form](event)
