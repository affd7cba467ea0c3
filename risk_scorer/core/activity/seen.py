"""One thing done in a session, with everything known about it, checked: what detectors look at.

Reading the wire and looking facts up happen elsewhere; judging happens elsewhere.
"""

import math
from functools import lru_cache
from hashlib import blake2b

from msgspec import Struct

UNKNOWN_LATENCY = math.nan
LONGEST_TEMPLATE = 80
"""Characters of a template: baselines keep templates, and their size must not be a stranger's choice."""
LONGEST_PEERS = 48
LONGEST_OBJECT = 64
_HEX = frozenset("0123456789abcdefABCDEF-")
_TOKEN_FROM = 20
"""Characters from which a part with digits among its letters is an id (UUIDs, ULIDs, base64) and not a word."""
_REMEMBERED, LONGEST_REMEMBERED = 16_384, 256
"""Endpoints whose template is kept, and how long they may be: at most 17 MB of text, whatever callers send."""


class SessionFacts(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What a session began with, as the gateway kept it and we looked it up. Unknown is "" and 0."""

    ip: str = ""
    prefix: str = ""
    asn: int = 0
    country: str = ""
    browser: str = ""
    os: str = ""
    device_type: str = ""
    device_id: str = ""
    ja4: str = ""
    started_at: float = 0.0


class Change(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A change of what somebody may do, at `ts`."""

    ts: float
    previous_roles: tuple[str, ...] = ()
    new_roles: tuple[str, ...] = ()
    previous_privileges: tuple[str, ...] = ()
    new_privileges: tuple[str, ...] = ()


class Seen(Struct, frozen=True, gc=False):
    """A checked event. "" and 0 mean unknown, NaN an unknown latency.

    `endpoint` is a template (`endpoint_template`), `action` is method and template; `peers` is the group of people with
    the same roles (`peers_of`); `began` is what the session began with; `ts` is epoch seconds.
    `object_id` is what stands in the endpoint for the template's last `{id}` (`object_of`); degrees are WGS 84 of the
    address, NaN unknown.
    """

    ts: float
    event_id: str
    user_id: str
    session_id: str
    endpoint: str
    action: str
    method: str = "GET"
    status: int = 0
    latency_ms: float = UNKNOWN_LATENCY
    bytes_in: int = 0
    bytes_out: int = 0
    service: str = ""
    trace_id: str = ""
    event_type: str = ""
    device_id: str = ""
    ip: str = ""
    prefix: str = ""
    asn: int = 0
    country: str = ""
    browser: str = ""
    os: str = ""
    device_type: str = ""
    ja4: str = ""
    roles: tuple[str, ...] = ()
    privileges: tuple[str, ...] = ()
    peers: str = ""
    change: Change | None = None
    began: SessionFacts | None = None
    object_id: str = ""
    latitude: float = math.nan
    longitude: float = math.nan


def endpoint_template(endpoint: str) -> str:
    """The endpoint without its query, its ids written `{id}`, at most `LONGEST_TEMPLATE` characters."""
    return (_remembered if len(endpoint) <= LONGEST_REMEMBERED else _read)(endpoint)[0]


def object_of(endpoint: str) -> str:
    """Which of many things the endpoint names: its last id, at most `LONGEST_OBJECT` characters, "" for none."""
    return (_remembered if len(endpoint) <= LONGEST_REMEMBERED else _read)(endpoint)[1]


def _read(endpoint: str) -> tuple[str, str]:
    """Template and last id."""
    parts, last = endpoint.partition("?")[0].partition("#")[0].split("/"), ""
    for place, part in enumerate(parts):
        if part and not part.isalpha() and _is_id(part):
            parts[place], last = "{id}", part
    return "/".join(parts)[:LONGEST_TEMPLATE], last[:LONGEST_OBJECT]


_remembered = lru_cache(maxsize=_REMEMBERED)(_read)


def _is_id(part: str) -> bool:
    """Numbers, UUIDs, hashes and long tokens: what names one thing among many of its kind."""
    if part.isdigit():
        return True
    digits = sum(map(part.count, "0123456789"))
    if len(part) >= 8 and digits and _HEX.issuperset(part):
        return True
    return len(part) >= _TOKEN_FROM and digits >= 2


@lru_cache(maxsize=_REMEMBERED)
def action_of(method: str, template: str) -> str:
    """What is done, as sequences know it: `GET /orders/{id}`."""
    return f"{method} {template}"


@lru_cache(maxsize=_REMEMBERED)
def peers_of(roles: tuple[str, ...]) -> str:
    """The group of those with exactly these roles, whatever their order; "" for people without any."""
    together = "+".join(sorted(set(roles)))
    if len(together) <= LONGEST_PEERS:
        return together
    return f"{together[:24]}~{blake2b(together.encode(errors='replace'), digest_size=8).hexdigest()}"
