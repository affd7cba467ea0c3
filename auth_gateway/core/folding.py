"""What a message says that stands for more than its own event. Pure: bytes in, bytes out."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

MOST_IDS: Final = 20


class Folded(msgspec.Struct, frozen=True, kw_only=True):
    """More events of the same type about the same person, or from the same network, that came in a storm of events."""

    count: Annotated[int, Meta(description="How many more, beside the one that is told in full.")]
    first_ts: Annotated[float, Meta(description="When the first of them happened; seconds since 1970.")]
    last_ts: Annotated[float, Meta(description="When the last of them happened.")]
    event_ids: Annotated[tuple[str, ...], Meta(description=f"The first {MOST_IDS} of them. All are kept in the log.")]


_message: Final = msgspec.json.Decoder(dict[str, Any])


def grown(body: bytes, *, count: int, event_id: str, ts: float) -> bytes:
    """The message of the `standard` format, standing for `count` more: the last of them is this one."""
    message = _message.decode(body)
    data: dict[str, Any] = message["data"]
    known = msgspec.convert(data["folded"], Folded) if "folded" in data else None
    before = known.event_ids if known else ()
    data["folded"] = Folded(
        count=count,
        first_ts=min(known.first_ts, ts) if known else ts,
        last_ts=max(known.last_ts, ts) if known else ts,
        event_ids=(*before, event_id)[:MOST_IDS],
    )
    return msgspec.json.encode(message)
