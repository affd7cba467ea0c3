"""A stream of rows is thinned evenly, in bounded memory, however it is cut into pieces."""

import numpy as np
import pytest

from training.drifting.thinned import Thinned


def thinned(total: int, piece: int, most: int) -> list[float]:
    kept = Thinned(1, most)
    for start in range(0, total, piece):
        kept.add(np.arange(start, min(start + piece, total), dtype=np.float64)[:, None])
    found: list[float] = kept.rows[:, 0].tolist()
    return found


@pytest.mark.parametrize("piece", [1, 3, 7, 50, 1000])
@pytest.mark.parametrize(("total", "stride"), [(10, 1), (16, 1), (17, 2), (33, 4), (100, 8)])
def test_what_is_kept_is_every_so_manieth(total: int, stride: int, piece: int) -> None:
    """The same rows in whatever pieces they came, as few as the bound asks and no fewer."""
    assert thinned(total, piece, most=16) == list(map(float, range(0, total, stride)))


def test_no_rows_are_a_table_without_rows() -> None:
    """Of the same width."""
    assert Thinned(3).rows.shape == (0, 3)
