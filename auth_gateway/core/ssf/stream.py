"""An event stream: who is told of which events, and how they get there. Look-ups and sending live elsewhere.

Source: OpenID Shared Signals Framework 1.0, section 8.1.
"""

from typing import Any, Final, Literal

import msgspec

from auth_gateway.core.provider.client import SigningAlgorithm
from auth_gateway.core.ssf.event_types import EVENTS_SUPPORTED

PREFIX: Final = "ssf_"
"""What a stream's id begins with; the id is its name in the outbox."""

Method = Literal["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"]
PUSH: Final = "urn:ietf:rfc:8935"
POLL: Final = "urn:ietf:rfc:8936"
Status = Literal["enabled", "paused", "disabled"]
DefaultSubjects = Literal["ALL", "NONE"]

MOST_STREAMS: Final = 10
"""Of one receiver."""
MOST_SUBJECTS: Final = 100_000
"""That one stream names."""
LONGEST_DESCRIPTION: Final = 512
LONGEST_REASON: Final = 256
LONGEST_STATE: Final = 1_024
LONGEST_AUTHORIZATION: Final = 4_096
MOST_REQUESTED: Final = 100
VERIFICATION_INTERVAL_SECONDS: Final = 5
UNCOLLECTED_SECONDS: Final = 7 * 86_400
"""For how long events wait for a receiver that polls, or whose stream is paused."""


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of one receiver, which is a registered client; SETs are made out to its id, and signed as its ID
    tokens are. `endpoint_url` is where events are pushed to, "" for one that is polled.

    With `default_subjects` "ALL" everybody counts but the subjects that were removed, with "NONE" nobody but those that
    were added.
    """

    stream_id: str
    client_id: str
    method: Method
    endpoint_url: str = ""
    events_requested: tuple[str, ...] = ()
    description: str = ""
    status: Status = "enabled"
    reason: str = ""
    default_subjects: DefaultSubjects = "ALL"
    created_at: float = 0.0
    verified_at: float = 0.0

    @property
    def events_delivered(self) -> tuple[str, ...]:
        """What was asked for and we have. Nothing is sent to whoever asked for nothing: it would be people's data that
        nobody said they can use."""
        return tuple(name for name in EVENTS_SUPPORTED if name in self.events_requested)


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """A stream that may take events now, and what they are signed with."""

    stream: Stream
    algorithm: SigningAlgorithm


def poll_address(issuer: str, stream_id: str) -> str:
    """Where a stream is polled."""
    return f"{issuer}/ssf/poll/{stream_id}"


def configuration(stream: Stream, issuer: str) -> dict[str, Any]:
    """The stream as its receiver is told of it. The authorization that its endpoint asks for is never shown again."""
    address = stream.endpoint_url if stream.method == PUSH else poll_address(issuer, stream.stream_id)
    told: dict[str, Any] = {
        "stream_id": stream.stream_id,
        "iss": issuer,
        "aud": stream.client_id,
        "events_supported": list(EVENTS_SUPPORTED),
        "events_requested": list(stream.events_requested),
        "events_delivered": list(stream.events_delivered),
        "delivery": {"method": stream.method, "endpoint_url": address},
        "min_verification_interval": VERIFICATION_INTERVAL_SECONDS,
    }
    return told | {"description": stream.description} if stream.description else told


def standing(stream: Stream) -> dict[str, Any]:
    """The stream's status as its receiver is told of it."""
    told = {"stream_id": stream.stream_id, "status": stream.status}
    return told | {"reason": stream.reason} if stream.reason else told


def authorization_purpose(stream_id: str) -> str:
    """What a stream's authorization is sealed for."""
    return f"stream:{stream_id}"
