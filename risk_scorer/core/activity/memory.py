"""What detectors remember, in six scopes, each bounded; where it is kept and when it leaves is for adapters to say."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal, TypeVar

from msgspec import Raw, Struct, msgpack

Scope = Literal["person", "session", "peers", "service", "world", "trace"]
"""Whose memory: of one person, one session, all with the same roles, one service, everybody, one trace."""
SCOPES: Final[tuple[Scope, ...]] = ("person", "session", "peers", "service", "world", "trace")

Memory = dict[str, Any]
"""Detector's name → its `Part`. Read with `get`; a detector makes its part when it has something to write."""

Value = TypeVar("Value")
Kind = TypeVar("Kind", bound="Part")


class Part(Struct, array_like=True, gc=False):
    """What one detector remembers in one scope. New fields stand at the end and have defaults.

    Fields are numbers, short texts, and lists or dictionaries with a stated bound; `most_bytes` is what it takes at
    most when packed. It must not refer to itself.
    """

    most_bytes: ClassVar[int] = 0


class Around(Struct, frozen=True, gc=False):
    """The memories that an event belongs to. Detectors change what is in them, never which they are.

    The trace of an event without `trace_id`, and the session of one without `session_id`, is an empty memory that
    nobody keeps.
    """

    person: Memory = {}
    session: Memory = {}
    peers: Memory = {}
    service: Memory = {}
    world: Memory = {}
    trace: Memory = {}


def keep(known: dict[str, Value], key: str, value: Value, most: int) -> None:
    """`known[key] = value` as the most recent; beyond `most` the one that was kept longest ago leaves."""
    known.pop(key, None)
    known[key] = value
    if len(known) > most:
        del known[next(iter(known))]


def is_sampled(ts: float) -> bool:
    """One event in four, by its milliseconds: enough for baselines of many people that know the most already."""
    return int(ts * 1000.0) & 3 == 0


def part_in(memory: Memory, name: str, kind: type[Kind]) -> Kind:
    """The part of that name, begun if there is none."""
    found: Kind | None = memory.get(name)
    if found is None:
        found = memory[name] = kind()
    return found


def packed(memory: Memory) -> bytes:
    """The memory as MessagePack."""
    return _encoder.encode(memory)


def unpacked(stored: bytes, parts: Mapping[str, type[Part]]) -> Memory:
    """The inverse of `packed`; what a detector wrote that is no longer there is left out.

    Raises msgspec.DecodeError for what it did not write.
    """
    return {
        name: _decoder_of(parts[name]).decode(part) for name, part in _outer.decode(stored).items() if name in parts
    }


_encoder = msgpack.Encoder()
_outer = msgpack.Decoder(dict[str, Raw])
_decoders: dict[type[Part], msgpack.Decoder[Any]] = {}


def _decoder_of(part: type[Part]) -> "msgpack.Decoder[Any]":
    decoder = _decoders.get(part)
    if decoder is None:
        decoder = _decoders[part] = msgpack.Decoder(part)
    return decoder
