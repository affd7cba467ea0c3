"""Histories too large to decode at once are walked entry by entry: the same people, nothing unsound."""

import msgspec
import pytest

from risk_scorer.core import artefact, packed_people
from risk_scorer.core.artefact import BadArtefact, histories
from risk_scorer.core.packed_people import NotPacked, entries

VALUES = [
    None, True, False, 0, 127, 128, 2**16, 2**32, -1, -33, -200, -(2**40), 1.5, "", "é" * 40, "x" * 70_000, b"bytes",
    b"y" * 300, b"z" * 70_000, [], [1, [2, {"a": [3]}]], list(range(20)), list(range(70_000)), {}, {"a": {"b": 1}},
    {str(number): number for number in range(20)}, {str(number): [number] for number in range(70_000)},
]  # fmt: skip


def packed(people: dict[str, object]) -> bytes:
    return msgspec.msgpack.encode(people)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 27, 70_000])
def test_every_kind_of_value_is_given_with_its_key(count: int) -> None:
    """Whatever is in it, in maps of every size, beyond what is found at once."""
    people = {f"u{number}" * (1 + number % 20): VALUES[number % 15] for number in range(count)}
    if count == len(VALUES):
        people = {f"u{number}": value for number, value in enumerate(VALUES)}
    found = list(entries(memoryview(packed(people))))
    assert [user for user, _ in found] == list(people)
    assert [msgspec.msgpack.decode(value) for _, value in found] == list(people.values())


def test_what_is_no_map_of_people_is_refused_before_the_first() -> None:
    """Cut off anywhere, something after it, keys that are no texts, counts that promise more than there is."""
    whole = packed({"ann": [1, "two", {"three": 3.0}], "ben": "b" * 40})
    broken = [whole[:size] for size in range(len(whole))] + [whole + b"\x00", packed([1]), packed({1: 2})]
    broken += [
        b"\xdf\xff\xff\xff\xff" + whole[1:],
        b"\x81\xa1a\xdd\xff\xff\xff\xff",
        b"\x81\xa1a\xc1",
        b"\x81\xa1a\xc7",
    ]
    for each in broken:
        with pytest.raises(NotPacked):
            entries(each)


def test_large_histories_are_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways give the same, and refuse the same."""
    people = packed({"ann": [1, {"é": 2}], "ben": []})
    small = list(histories(people))
    monkeypatch.setattr(artefact, "DECODED_BYTES", 3)
    monkeypatch.setattr(packed_people, "AT_ONCE", 1)
    assert list(histories(people)) == small
    with pytest.raises(BadArtefact) as refused:
        histories(people[:-1])
    assert refused.value.code == "bad_histories"
