"""Columns that grow batch by batch are what their batches are end to end."""

import numpy as np
import pytest

from training.columns import growing
from training.columns.growing import Growing


def constant(value: float, rows: int) -> np.ndarray:
    return np.broadcast_to(np.array([value]), (rows,))


@pytest.mark.parametrize(
    "batches",
    [
        [np.arange(3.0), np.arange(50.0)],
        [constant(np.nan, 4), constant(np.nan, 2)],
        [constant(0.0, 4), constant(1.0, 2), np.arange(9.0)],
        [constant(0.0, 4), np.arange(9.0), constant(0.0, 4)],
        [np.arange(5.0)],
    ],
)
def test_batches_stand_end_to_end(batches: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    """However often more room is needed, and whichever batches hold one value alone."""
    monkeypatch.setattr(growing, "_LEAST", 4)
    column = Growing()
    for batch in batches:
        column.add(batch)
    found = column.array()
    np.testing.assert_array_equal(found, np.concatenate(batches))
    is_one_value = len({str(value) for batch in batches for value in batch}) == 1
    assert (found.strides == (0,)) == is_one_value
