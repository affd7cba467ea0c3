"""What a Security Event Token says. Encoding and keys live elsewhere.

Source: RFC 8417, section 2.2; OpenID Shared Signals Framework 1.0, section 4.1: no `sub`, and no `exp`.
"""

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from auth_gateway.core.ssf.event_types import VERIFICATION
from auth_gateway.core.ssf.signal import Signal, transaction_of
from auth_gateway.core.ssf.stream import Stream
from auth_gateway.core.ssf.subject import opaque

MEDIA_TYPE: Final = "application/secevent+jwt"
VERIFICATION_TYPE: Final = "ssf.verification"
"""What the outbox calls a verification event."""


class SetClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of one token, with one event in it."""

    iss: str
    jti: str
    iat: int
    aud: str
    txn: str | UnsetType = UNSET
    sub_id: dict[str, Any]
    events: dict[str, dict[str, Any]]


def told(signal: Signal, stream: Stream, *, issuer: str, event_id: str, now: float) -> SetClaims:
    """One event for one stream; the same event has the same `jti` wherever it is told."""
    return SetClaims(
        iss=issuer,
        jti=event_id,
        iat=int(now),
        aud=stream.client_id,
        txn=transaction_of(event_id),
        sub_id=signal.subject,
        events={signal.event_type: signal.payload},
    )


def verification(stream: Stream, *, issuer: str, event_id: str, state: str | None, now: float) -> SetClaims:
    """The event that shows a receiver that its stream works; `state` comes back as it was given."""
    return SetClaims(
        iss=issuer,
        jti=event_id,
        iat=int(now),
        aud=stream.client_id,
        txn=event_id,
        sub_id=opaque(stream.stream_id),
        events={VERIFICATION: {} if state is None else {"state": state}},
    )
