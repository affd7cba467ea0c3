"""What receivers send, sizes and types only.

Source: OpenID Shared Signals Framework 1.0, section 8.1; RFC 8936, section 2.2.
"""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.requests import Request

from auth_gateway.api.bodies import Text128, Text256
from auth_gateway.core.ssf.stream import (
    LONGEST_AUTHORIZATION,
    LONGEST_REASON,
    LONGEST_STATE,
    MOST_REQUESTED,
    Status,
)
from plumbing.bodies import decode, read_body, require_json
from plumbing.refusals import Refused

MOST_BYTES = 65_536
MOST_POLL_BYTES = 262_144
MOST_ACKNOWLEDGED = 1_000

T = TypeVar("T")

EventTypes = Annotated[tuple[Text256, ...], Meta(max_length=MOST_REQUESTED)]


class DeliveryBody(msgspec.Struct, frozen=True, kw_only=True):
    """How events travel: pushed to `endpoint_url`, or polled. The authorization is taken away by null."""

    method: Text128
    endpoint_url: Annotated[str, Meta(max_length=2_000)] = ""
    authorization_header: Annotated[str, Meta(max_length=LONGEST_AUTHORIZATION)] | UnsetType | None = UNSET


class StreamBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver may say of its stream."""

    events_requested: EventTypes | UnsetType = UNSET
    delivery: DeliveryBody | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=4_096)] | UnsetType = UNSET


class StreamChangeBody(StreamBody, frozen=True, kw_only=True):
    """Which stream; what is ours to say may be repeated, and must be right."""

    stream_id: Text128
    iss: Text256 | UnsetType = UNSET
    aud: Text256 | tuple[Text256, ...] | UnsetType = UNSET
    events_supported: EventTypes | UnsetType = UNSET
    events_delivered: EventTypes | UnsetType = UNSET
    min_verification_interval: int | UnsetType = UNSET


class StreamStatusBody(msgspec.Struct, frozen=True, kw_only=True):
    """Another status, and why."""

    stream_id: Text128
    status: Status
    reason: Annotated[str, Meta(max_length=LONGEST_REASON)] = ""


class SubjectBody(msgspec.Struct, frozen=True, kw_only=True):
    """A subject identifier (RFC 9493): iss_sub, email or opaque."""

    stream_id: Text128
    subject: dict[Text128, Any]
    verified: bool = True


class VerificationBody(msgspec.Struct, frozen=True, kw_only=True):
    """A verification that is asked for; `state` comes back in it."""

    stream_id: Text128
    state: Annotated[str, Meta(max_length=LONGEST_STATE)] | None = None


class SetErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """Why a token was not taken."""

    err: Text128
    description: str = ""


class PollBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One poll: `ack` and `setErrs` are about tokens of earlier ones, by their `jti`."""

    max_events: Annotated[int, Meta(ge=0)] | None = None
    return_immediately: bool = False
    ack: Annotated[tuple[Text256, ...], Meta(max_length=MOST_ACKNOWLEDGED)] = ()
    set_errs: Annotated[dict[Text256, SetErrorBody], Meta(max_length=MOST_ACKNOWLEDGED)] = {}


async def body_of(request: Request, decoder: msgspec.json.Decoder[T], *, max_bytes: int = MOST_BYTES) -> T:
    """The request's body.

    Raises: Refused 400 for whatever is no such body, the one status that the framework has for it; 408, 413, 415.
    """
    require_json(request)
    raw = await read_body(request, max_bytes=max_bytes)
    try:
        return decode(decoder, raw)
    except Refused as refused:
        raise Refused(refused.code, refused.message, status=400, evidence=refused.evidence) from None
