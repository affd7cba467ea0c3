"""How far the log was taken, and what of it may still come."""

import pytest

from risk_scorer.core.console.progress import MOST_HOLES, PATIENCE_SECONDS, Progress, advanced


@pytest.mark.parametrize(
    ("before", "taken", "after"),
    [
        (Progress(), [5], Progress(5)),
        (Progress(), [5, 7], Progress(7, ((6, 100.0),))),
        (Progress(5), [6, 7], Progress(7)),
        (Progress(5), [8], Progress(8, ((6, 100.0), (7, 100.0)))),
        (Progress(8, ((6, 90.0), (7, 90.0))), [7], Progress(8, ((6, 90.0),))),
        (Progress(8, ((6, 90.0),)), [6, 9], Progress(9)),
        (Progress(8, ((6, 100.0 - PATIENCE_SECONDS),)), [9], Progress(9)),
    ],
)
def test_a_missing_number_is_awaited_until_it_comes_or_patience_ends(
    before: Progress, taken: list[int], after: Progress
) -> None:
    """What lies before the first row that was ever taken is not missing: it was pruned."""
    assert advanced(before, taken, 100.0) == after


def test_a_sequence_that_jumped_leaves_no_endless_list() -> None:
    """Only the newest of the missing are looked for."""
    after = advanced(Progress(5), [5_000_000], 100.0)
    assert len(after.holes) == MOST_HOLES
    assert after.holes[-1] == (4_999_999, 100.0)
    assert len(advanced(after, [9_000_000], 100.0).holes) == MOST_HOLES
