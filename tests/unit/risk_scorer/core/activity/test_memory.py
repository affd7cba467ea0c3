"""Memories come back as they were stored, and stay bounded."""

from typing import ClassVar

import msgspec
import pytest

from risk_scorer.core.activity.memory import Memory, Part, keep, packed, unpacked


class Counted(Part):
    most_bytes: ClassVar[int] = 64
    count: int = 0
    last: float = 0.0


def test_a_memory_survives_being_stored() -> None:
    """What was written under a detector's name is read again as its part."""
    memory: Memory = {"a": Counted(count=3, last=1.5)}
    assert unpacked(packed(memory), {"a": Counted}) == memory


def test_what_nobody_knows_any_more_is_left_out() -> None:
    """A detector that was removed leaves no trace, and the others keep theirs."""
    stored = packed({"gone": Counted(count=9), "a": Counted(count=1)})
    assert unpacked(stored, {"a": Counted}) == {"a": Counted(count=1)}


def test_what_was_stored_before_a_field_was_there_has_its_default() -> None:
    """A new field at the end costs nobody what was learned."""
    assert unpacked(msgspec.msgpack.encode({"a": [7]}), {"a": Counted}) == {"a": Counted(count=7)}


def test_damage_is_told() -> None:
    """Bytes that are no memory raise one named error."""
    with pytest.raises(msgspec.DecodeError):
        unpacked(b"\xc1", {"a": Counted})


def test_the_value_kept_longest_ago_leaves() -> None:
    """Keeping a value again makes it the most recent."""
    known = {"a": 1, "b": 2}
    keep(known, "a", 3, 2)
    keep(known, "c", 4, 2)
    assert known == {"a": 3, "c": 4}
