"""What the gateway tells the scorer of the sessions that it issued: the facts that activity is judged against.

Only shapes and sizes are here. Unknown fields are ignored; "" and None are unknown, never safe.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from risk_scorer.contract.events import Agent, Name, Text128, Text256

MAX_NOTICES: Final = 1_000
MAX_NOTICES_BYTES: Final = 1024 * 1024

SessionState = Literal["started", "stepped_up", "ended"]
Role = Annotated[str, Meta(min_length=1, max_length=128)]
Roles = Annotated[tuple[Role, ...], Meta(max_length=64)]
Privileges = Annotated[tuple[Role, ...], Meta(max_length=256)]
Methods = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=32)], ...], Meta(max_length=16)]
Moment = Annotated[float, Meta(ge=0, lt=2**33)]


class SessionNotice(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A session began, was stepped up, or ended, at that moment (epoch seconds).

    The same (`session_id`, `state`, `at`) is one notice, however often it comes; notices may come in any order. What a
    session began with is what its `started` says; `stepped_up` says what the person showed it from and with, and may
    tell new roles. `amr` are the methods of RFC 8176; `reason` says why it ended, in the gateway's words.
    `expires_at` is when it ends at the latest, which no notice then tells; 0 where nobody said.
    """

    session_id: Name
    user_id: Name
    state: SessionState
    at: Moment
    client_id: Text256 = ""
    ip: Annotated[str, Meta(max_length=64)] = ""
    user_agent: Agent = ""
    device_id: Text256 = ""
    ja4: Text256 | None = None
    country: Text128 = ""
    roles: Roles | None = None
    privileges: Privileges | None = None
    amr: Methods = ()
    reason: Text128 = ""
    expires_at: Moment = 0.0


class SessionsHeard(Struct, frozen=True, kw_only=True):
    """How many notices were new, and how many had been heard before."""

    heard: int
    known_before: int
