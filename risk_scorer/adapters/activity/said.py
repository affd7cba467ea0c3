"""What an event's row keeps so that it can be judged again: what its person might do, and which thing it was about.

Training on the event store needs it; no page and no view shows it.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from risk_scorer.core.activity.seen import Change, Seen


class Said(Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """Roles and privileges as they counted, a change of them, and the id in the endpoint."""

    object_id: str = ""
    roles: tuple[str, ...] = ()
    privileges: tuple[str, ...] = ()
    change: Change | None = None


NOTHING: Final = Said()
_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Said)


def packed_said(seen: Seen) -> bytes | None:
    """As MessagePack; None where there is nothing of it."""
    if not (seen.object_id or seen.roles or seen.privileges or seen.change):
        return None
    return _encode(Said(seen.object_id, seen.roles, seen.privileges, seen.change))


def said_of(packed: bytes | None) -> Said:
    """What was kept; nothing in rows from before it was. Raises: msgspec.MsgspecError."""
    return NOTHING if packed is None else _decoder.decode(packed)
