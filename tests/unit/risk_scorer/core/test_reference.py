"""What live logins are held against is read whole or not at all."""

from typing import Any

import msgspec
import numpy as np
import pytest

from risk_scorer.core.encoders import COUNTED
from risk_scorer.core.reference import HEAD, Reference, Spread, counted, encode, named, read, width
from tests.unit.risk_scorer.core.watched import REFERENCE

HOUR = REFERENCE.spreads["hour"]


def changed(**fields: Any) -> Reference:
    return msgspec.structs.replace(REFERENCE, **fields)


def hour(**fields: Any) -> Reference:
    return changed(spreads={**REFERENCE.spreads, "hour": msgspec.structs.replace(HOUR, **fields)})


def test_a_reference_comes_back_as_it_was() -> None:
    """And the same one has the same bytes, whatever order it was made in."""
    assert read(encode(REFERENCE)) == REFERENCE
    backwards = changed(spreads=dict(reversed(REFERENCE.spreads.items())))
    assert encode(backwards) == encode(REFERENCE)


BROKEN = {
    "another format": changed(format="riskgate-reference/9"),
    "no score": changed(spreads={"hour": HOUR}),
    "a feature that is none": changed(spreads={**REFERENCE.spreads, "shoe_size": HOUR}),
    "an attribute that is none": changed(unknown={"shoe_size": 1}),
    "no logins": changed(logins=0),
    "too many logins": changed(logins=2**53 + 1),
    "more prompted than there were": changed(prompted=101),
    "more denied than prompted": changed(denied=3),
    "fewer than none prompted": changed(prompted=-1),
    "more unknown than there were": changed(unknown={"ip": 101}),
    "a bin too few": hour(counts=(10, 40, 40, 10)),
    "too many edges": hour(edges=tuple(map(float, range(20))), counts=(100, *([0] * 21))),
    "edges that fall": hour(edges=(6.0, 5.0, 18.0)),
    "edges that stay": hour(edges=(6.0, 6.0, 18.0)),
    "bins that do not add up": hour(counts=(10, 40, 40, 9, 0)),
    "a bin below nothing": hour(counts=(10, 40, 51, -1, 0)),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_reference_that_cannot_be_true_is_refused(broken: str) -> None:
    """With words that say what is wrong."""
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        read(encode(BROKEN[broken]))


@pytest.mark.parametrize("stored", [b"", b"{}", b"[]", b"\xff\xfe", encode(REFERENCE)[:-9], b"[" * 100_000])
def test_what_is_no_reference_is_refused(stored: bytes) -> None:
    """Cut off, of another shape, or no text at all."""
    with pytest.raises(ValueError, match="cannot be read"):
        read(stored)


@pytest.mark.parametrize("number", ["1e999", "NaN", '"1"', "null"])
def test_an_edge_that_is_no_number_is_refused(number: str) -> None:
    """An edge that nothing is below or above would hide everything."""
    with pytest.raises(ValueError, match="cannot be read"):
        read(encode(REFERENCE).replace(b"6.0", number.encode(), 1))


def test_twenty_bins_are_taken() -> None:
    """The bound itself."""
    most = Spread(edges=tuple(map(float, range(19))), counts=(100, *([0] * 20)))
    assert read(encode(changed(spreads={**REFERENCE.spreads, "hour": most})))


def test_a_vector_of_counts_has_names() -> None:
    """Each place of it is somebody's, the score's bins last."""
    vector = np.arange(width(REFERENCE))
    found = named(REFERENCE, vector)
    assert (found.logins, found.prompted, found.denied) == (0, 1, 2)
    assert found.unknown == {"user": HEAD, "ip": HEAD + 1}
    start = HEAD + len(COUNTED)
    assert found.spreads["hour"].tolist() == list(range(start, start + 5))
    assert found.spreads["score"].tolist() == list(range(len(vector) - 5, len(vector)))
    with pytest.raises(ValueError, match="another reference"):
        named(REFERENCE, vector[:-1])


def test_its_own_counts_have_the_same_names() -> None:
    """So that both sides of a comparison are one shape."""
    own = counted(REFERENCE)
    assert own.spreads["ip_rep"].tolist() == [95, 5, 0]
    assert (own.logins, own.unknown) == (100, {"ip": 20, "user": 5})
