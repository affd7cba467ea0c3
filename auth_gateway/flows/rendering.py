"""How an event is written out in each format that destinations may ask for."""

from collections.abc import Callable
from typing import Final

from auth_gateway.core.destination import Destination, Format
from auth_gateway.core.event import Event
from auth_gateway.core.siem.cef import cef
from auth_gateway.core.siem.ecs import ecs
from auth_gateway.core.siem.ocsf import ocsf
from auth_gateway.core.siem.syslog import syslog_line
from auth_gateway.core.told import told
from webhooks.announcement import announcement

Renderer = Callable[[Event], bytes]
"""An event, veiled already → the exact bytes that are stored, signed and sent."""


def standard(event: Event) -> bytes:
    """The shape that Standard Webhooks recommends; `timestamp` is when it happened."""
    return announcement(event.type, at=event.ts, data=told(event))


RENDERERS: Final[dict[Format, Renderer]] = {"standard": standard, "ocsf": ocsf, "ecs": ecs, "cef": cef}
"""None of them has a line end in what it makes: whoever writes lines writes whole ones."""

_OTHER_LINE_ENDS: Final = tuple((sign.encode(), f"\\u{ord(sign):04x}".encode()) for sign in "\x85\u2028\u2029")
"""JSON may hold these as they are, and some readers of lines end one there: what a stranger's browser calls itself
would make two events of one. In JSON the escape is the same text; CEF holds none."""


def rendered(event: Event, destination: Destination, *, host: str) -> bytes:
    """The event as that destination gets it; `host` is the machine's name for those who ask which one it was."""
    body = RENDERERS[destination.format](event)
    for sign, escape in _OTHER_LINE_ENDS:
        body = body.replace(sign, escape)
    return syslog_line(event, body, host=host) if destination.kind == "syslog" else body
