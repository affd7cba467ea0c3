"""Counting for all rows at once says what counting row by row would."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.baselines.counting import kinds_before, pairs, seen_before, totals

ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.booleans()), min_size=1, max_size=60)


@given(ROWS)
def test_counts_are_those_of_a_stream(rows: list[tuple[int, int, bool]]) -> None:
    """Each row is looked at before it counts, and one that does not teach never counts."""
    seen: dict[int, int] = {}
    before, kinds = [], []
    for code, _, teaches in rows:
        before.append(seen.get(code, 0))
        kinds.append(len(seen))
        if teaches:
            seen[code] = seen.get(code, 0) + 1
    codes, _, flags = (np.array(column) for column in zip(*rows, strict=True))
    assert seen_before(codes, flags).tolist() == before
    assert kinds_before(codes, flags).tolist() == kinds
    assert totals(codes, flags).tolist() == [seen.get(code, 0) for code in codes.tolist()]


@given(ROWS)
def test_pairs_are_equal_when_both_parts_are(rows: list[tuple[int, int, bool]]) -> None:
    """And only then."""
    one, other, _ = (np.array(column) for column in zip(*rows, strict=True))
    codes = pairs(one, other)
    assert len(set(codes.tolist())) == len({(a, b) for a, b, _ in rows})
