"""Numbers read as people write them, and nothing looks like a change that is none."""

import pytest

from training.report.page import count, day, moment, percent, signed


@pytest.mark.parametrize(("share", "digits", "expected"), [(0.02, 1, "2.0 %"), (0.00044, 2, "0.04 %"), (None, 1, "–")])
def test_shares_are_percentages(share: float | None, digits: int, expected: str) -> None:
    """A share of nobody is a dash."""
    assert percent(share, digits) == expected


@pytest.mark.parametrize(
    ("change", "expected"), [(0.0123, "+1.23"), (-0.0123, "−1.23"), (0.0, "0"), (0.00004, "0"), (-0.00004, "0")]
)
def test_changes_have_a_sign_unless_they_round_to_nothing(change: float, expected: str) -> None:
    """In percentage points, with a real minus."""
    assert signed(change) == expected


def test_counts_and_moments_are_readable() -> None:
    """Thousands apart, minutes and no seconds."""
    assert (count(53320), moment("2020-11-29T23:59:14Z"), day("2020-11-29T23:59:14Z")) == (
        "53,320",
        "2020-11-29 23:59 UTC",
        "2020-11-29",
    )
