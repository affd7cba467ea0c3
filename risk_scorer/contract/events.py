"""What `/score` and `/bulk_score` accept: shapes and sizes. What the values mean is decided in `core.observation`."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

MAX_BULK_EVENTS = 10_000
MAX_BULK_BYTES = 16 * 1024 * 1024

Name = Annotated[str, Meta(min_length=1, max_length=256)]
Address = Annotated[str, Meta(min_length=1, max_length=64)]
Agent = Annotated[str, Meta(max_length=2048)]
Text256 = Annotated[str, Meta(max_length=256)]
Text128 = Annotated[str, Meta(max_length=128)]
Asn = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Percent = Annotated[float, Meta(ge=0, le=100)]


EventKind = Literal["login", "step_up", "refresh"]


class SessionContext(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a session began with, as the gateway kept it: a refresh is held against it. "" and None are unknown."""

    ip: Annotated[str, Meta(max_length=64)] = ""
    user_agent: Agent = ""
    device_id: Text256 = ""
    ja4: Text256 | None = None
    started_at: Annotated[float, Meta(ge=0, lt=2**33)] | None = None


class LoginEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One login attempt as its reporter saw it; unknown fields are ignored, missing ones are unknown, never safe.

    `timestamp` is ISO 8601 or epoch seconds (None: the moment it is scored); `asn` and `ip_rep` (0 good to 100 bad)
    override our look-up. `kind` says on which path the person comes; `session` is given with a refresh.
    """

    user_id: Name
    ip: Address
    timestamp: str | float | int | None = None
    user_agent: Agent = ""
    device_id: Text256 = ""
    success: bool = True
    country: Text128 = ""
    region: Text128 = ""
    city: Text128 = ""
    ja4: Text256 | None = None
    ja4h: Text256 | None = None
    ja4s: Text256 | None = None
    asn: Asn | None = None
    ip_rep: Percent | None = None
    event_id: Text128 | None = None
    kind: EventKind = "login"
    session: SessionContext | None = None


class BulkRequest(Struct, frozen=True, kw_only=True):
    """Many events to score at once; only `announce` turns high scores into webhooks."""

    events: list[LoginEvent]
    announce: bool = False
