"""Arrays of a model that compiled code could not walk safely are refused, whoever signed them."""

import io

import numpy as np
import pytest

from risk_scorer.core.artefact import FOREST_ARRAYS, PAIR_ARRAYS
from risk_scorer.core.features import FEATURES
from risk_scorer.core.pairs import INPUTS, PARTS
from tests.unit.risk_scorer.core.small import model
from tests.unit.risk_scorer.core.stored_model import contents, refusal, signed, stored


def broken_forest(name: str, place: int, value: float) -> dict[str, bytes]:
    forest = model().forest
    array = getattr(forest, name).copy()
    array[place] = value
    return {f"forest_{name}.npy": stored(array, array.dtype.type)}


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("feature", 0, -1),
        ("feature", 0, len(FEATURES)),
        ("child", 0, 10**6),
        ("child", 0, -5),
        ("child", 1, 0),
        ("threshold", 0, np.nan),
        ("threshold", -1, 0.0),
        ("path", 3, np.nan),
        ("path", 3, -1.0),
        ("root", 0, 1),
        ("root", 1, 0),
        ("root", -1, 10**6),
    ],
)
def test_a_forest_that_could_walk_out_of_its_arrays_is_refused(name: str, place: int, value: float) -> None:
    """Compiled code does not check bounds, so loading does."""
    assert refusal(signed(broken_forest(name, place, value))) == "bad_forest"


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("feature", 0, -1),
        ("feature", 0, len(INPUTS)),
        ("child", 0, 10**6),
        ("child", 0, 2),  # its right child would be the next tree's root
        ("child", 1, 0),
        ("threshold", 0, np.nan),
        ("threshold", 1, 0.0),
        ("value", 1, np.nan),
        ("value", 2, np.inf),
        ("value", 2, 1e300),
        ("value", 0, -np.inf),  # no walk ends there, and none has to be understood to know that it is wrong
        ("part", 1, -1),
        ("part", 2, len(PARTS)),
        ("root", 0, 1),
        ("root", 1, 0),
        ("root", -1, 10**6),
    ],
)
def test_pairs_that_could_walk_out_of_their_arrays_are_refused(name: str, place: int, value: float) -> None:
    """A leaf that speaks for a part that is not there writes past the end of its row."""
    array = getattr(model().pairs, name).copy()
    array[place] = value
    assert refusal(signed({f"pairs_{name}.npy": stored(array, array.dtype.type)})) == "bad_pairs"


@pytest.mark.parametrize("name", [*FOREST_ARRAYS, *PAIR_ARRAYS])
@pytest.mark.parametrize("more", [-1, 1])
def test_an_array_that_is_too_short_or_too_long_is_refused(name: str, more: int) -> None:
    """Each array by itself is sound; together they are not."""
    array = np.load(io.BytesIO(contents()[name]))
    longer = np.append(array, array[-1]) if more > 0 else array[:-1]
    expected = "bad_pairs" if name in PAIR_ARRAYS else "bad_forest"
    assert refusal(signed({name: stored(longer, array.dtype.type)})) == expected


@pytest.mark.parametrize(("name", "kind"), list(PAIR_ARRAYS.items()))
def test_a_pair_array_of_another_kind_is_refused(name: str, kind: type[np.generic]) -> None:
    """Compiled code reads exactly the kind that it was compiled for."""
    other = np.int64 if kind is np.int32 else np.float32
    assert refusal(signed({name: stored(np.load(io.BytesIO(contents()[name])), other)})) == "bad_array"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not an array",
        stored([0.0], np.float64),
        stored([[0]], np.int32),
        b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(128) + b"\n",
    ],
)
def test_what_is_no_plain_array_is_refused(content: bytes) -> None:
    """Wrong kinds and shapes and Python objects among them."""
    assert refusal(signed({"forest_feature.npy": content})) == "bad_array"
