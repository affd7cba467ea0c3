"""What a Security Event Token of another provider must say before anything of it is done. Signatures and keys, and
whom it is about, are not decided here.

Source: RFC 8417, sections 2.2 and 4; OpenID Shared Signals Framework 1.0, section 4.1.
"""

from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from auth_gateway.core.ssf.effects import short
from auth_gateway.core.ssf.set_error import SetRefused
from auth_gateway.core.ssf.transmitter import AHEAD_SECONDS, Transmitter

LONGEST_ID: Final = 256
LONGEST_TYPE: Final = 512
TYPES: Final = frozenset({"secevent+jwt", "application/secevent+jwt"})
"""`typ` in lower case; with any other one a token was made for something else (RFC 8417, section 2.3)."""


class ReceivedClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims as they come, types only. `sub` and `exp` are looked for, since they must not be there."""

    iss: str
    aud: str | list[str]
    iat: int | float
    jti: str
    events: dict[str, dict[str, Any]]
    sub_id: dict[str, Any] | UnsetType = UNSET
    sub: Any = UNSET
    exp: Any = UNSET


class ReceivedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The one event of a token that may be believed; `subject` None where it names none."""

    jti: str
    issued_at: float
    event_type: str
    payload: dict[str, Any]
    subject: dict[str, Any] | None

    @property
    def name(self) -> str:
        """The type's short name."""
        return short(self.event_type)


def believed(claims: ReceivedClaims, transmitter: Transmitter, now: float) -> ReceivedEvent:
    """The event of a token that this transmitter signed.

    Several events are refused: they may contradict each other, and the framework has one a token (section 4.1.5).

    Raises: SetRefused `invalid_issuer`, `invalid_audience` or `invalid_request`.
    """
    if claims.iss != transmitter.issuer:
        raise SetRefused("invalid_issuer", "iss is not the issuer that was agreed.")
    named = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if not set(transmitter.audiences) & set(named):
        raise SetRefused("invalid_audience", "aud does not name this receiver.")
    if claims.exp is not UNSET or claims.sub is not UNSET:
        raise SetRefused("invalid_request", "exp and sub have no place in it: it is about sub_id and does not expire.")
    if not 0 < len(claims.jti) <= LONGEST_ID or not claims.jti.isprintable():
        raise SetRefused("invalid_request", f"jti has 1 to {LONGEST_ID} printable characters.")
    if not now - transmitter.max_age_seconds <= claims.iat <= now + AHEAD_SECONDS:
        raise SetRefused("invalid_request", "iat is too long ago, or in the future.")
    if len(claims.events) != 1:
        raise SetRefused("invalid_request", "events holds exactly one event.")
    ((event_type, payload),) = claims.events.items()
    if not 0 < len(event_type) <= LONGEST_TYPE or not event_type.isprintable():
        raise SetRefused("invalid_request", "The event has no usable name.")
    subject = None if isinstance(claims.sub_id, UnsetType) else claims.sub_id
    return ReceivedEvent(
        jti=claims.jti, issued_at=float(claims.iat), event_type=event_type, payload=payload, subject=subject
    )
