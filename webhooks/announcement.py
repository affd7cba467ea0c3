"""The body of a message, in the shape that Standard Webhooks recommends. Its data is the sender's matter."""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

MESSAGE_PREFIX = "msg_"


def announcement(event_type: str, *, at: float, data: Mapping[str, object] | msgspec.Struct) -> bytes:
    """`{"type", "timestamp", "data"}` as the exact bytes to store, sign and send; `at` is epoch seconds."""
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return msgspec.json.encode({"type": event_type, "timestamp": moment, "data": data})


def message_id(event_id: str) -> str:
    """The id under which an event is announced, the same at every attempt, so that a receiver can drop a repetition."""
    return MESSAGE_PREFIX + event_id
