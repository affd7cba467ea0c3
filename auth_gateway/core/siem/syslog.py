"""The head that an event wears on its way to a syslog server. Source: RFC 5424, sections 6.2 and 6.4."""

import re
from datetime import UTC, datetime
from typing import Final

from auth_gateway.core.event import Event
from auth_gateway.core.siem.meaning import PRODUCT, Severity, meaning_of

AUTHORIZATION: Final = 10
"""Facility "security/authorization messages", section 6.2.1."""
_SEVERITIES: Final[dict[Severity, int]] = {1: 6, 2: 5, 3: 4, 4: 2}
"""Informational, notice, warning, critical, section 6.2.1."""
_NIL: Final = "-"
_UNPRINTABLE: Final = re.compile(r"[^\x21-\x7e]")
_LONGEST_HOST, _LONGEST_KIND = 255, 32


def syslog_line(event: Event, body: bytes, *, host: str) -> bytes:
    """The whole message; `body` is the event in the form that the destination asked for, `host` the machine's name.

    No byte order mark: whoever reads the body as JSON would stumble over it (MSG-ANY, section 6.4).
    """
    moment = datetime.fromtimestamp(event.ts, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    priority = AUTHORIZATION * 8 + _SEVERITIES[meaning_of(event).severity]
    head = f"<{priority}>1 {moment} {_name(host, _LONGEST_HOST)} {PRODUCT} - {_name(event.type, _LONGEST_KIND)} -"
    return b"%s %s" % (head.encode(), body)


def _name(text: str, longest: int) -> str:
    return _UNPRINTABLE.sub("", text)[:longest] or _NIL
