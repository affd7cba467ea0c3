"""Frequencies of the training log, and what rarity is worth."""

import msgspec
import pytest

from risk_scorer.core.encoders import COUNTED, Encoders, decode, encode, kinds, uniform_ratios
from tests.unit.risk_scorer.core.small import encoders


def test_stored_encoders_come_back_and_repeat_to_the_byte() -> None:
    """Whatever order values were counted in, the file is the same."""
    one = Encoders(total=3, user={"b": 1, "a": 2})
    other = Encoders(total=3, user={"a": 2, "b": 1})
    assert encode(one) == encode(other)
    assert decode(encode(one)) == one


@pytest.mark.parametrize(
    "stored", [b"", b"[]", b'{"total": "3"}', b'{"total": 3, "extra": {}}', b'{"user": {"a": 1.5}}']
)
def test_damaged_encoders_are_refused(stored: bytes) -> None:
    """Wrong types and unknown fields are errors."""
    with pytest.raises(msgspec.MsgspecError):
        decode(stored)


def test_kinds_counts_distinct_values_in_the_order_of_attributes() -> None:
    """One number for each of COUNTED."""
    found = dict(zip(COUNTED, kinds(encoders()).tolist(), strict=True))
    assert (found["asn"], found["browser_version"], found["device_type"]) == (3.0, 3.0, 1.0)


def test_rarer_values_are_likelier_drawn_evenly_than_used_by_people() -> None:
    """The ratio falls with the count, and a value never seen weighs no less than one seen once."""
    counts = {"common": 900, "seldom": 50, "a": 1, "b": 1, "c": 1, "d": 2}
    scale, unseen = uniform_ratios(counts)
    assert scale / 900 < 1.0 < scale / 50 < scale / 1 <= unseen


def test_where_most_values_are_new_a_new_value_says_little() -> None:
    """Good-Turing: the more logins bring a value seen once, the more the next new one is to be expected."""
    loyal = {"a": 500, "b": 499, "c": 1}
    fickle = {f"v{number}": 1 for number in range(900)} | {"a": 100}
    assert uniform_ratios(fickle)[1] < 2.0 < uniform_ratios(loyal)[1]


def test_an_empty_log_makes_no_value_rare() -> None:
    """Nothing counted, nothing claimed."""
    assert uniform_ratios({}) == (1.0, 1.0)
