"""Shares come with exact limits, and people are grouped by what was known of them."""

import numpy as np
import pytest
from scipy import stats

from training.evaluation.labels import Truth
from training.evaluation.rates import alarms, by_history, clopper_pearson, share


@pytest.mark.parametrize(("count", "among"), [(0, 50), (1, 50), (25, 50), (49, 50), (50, 50), (3, 53_320)])
def test_limits_are_the_exact_ones(count: int, among: int) -> None:
    """As scipy's exact interval of a binomial share."""
    expected = stats.binomtest(count, among).proportion_ci(confidence_level=0.95, method="exact")
    assert clopper_pearson(count, among) == pytest.approx((expected.low, expected.high))


def test_a_share_of_nobody_is_unknown() -> None:
    """Among none there is no share, and any is possible."""
    assert share(np.zeros(0, bool)) == {"count": 0, "among": 0, "share": None, "low": 0.0, "high": 1.0}


def test_history_has_its_boundaries_at_one_and_five() -> None:
    """None is cold, one to four thin, five and more warm, and nobody is in two groups."""
    groups = by_history(np.array([0, 1, 4, 5, 400]))
    assert {name: rows.tolist() for name, rows in groups.items()} == {
        "cold": [True, False, False, False, False],
        "thin": [False, True, True, False, False],
        "warm": [False, False, False, True, True],
    }


def test_reaching_a_mark_is_enough_to_be_asked() -> None:
    """60 is asked for more and 80 refused; attacks are no alarms."""
    score = np.array([59.99, 60.0, 79.99, 80.0, 90.0])
    truth = Truth(np.array([True] * 4 + [False]), {}, np.array([0, 0, 2, 9, 0]), "login events")
    found = alarms(truth, score, {"step_up": 0.02})
    assert (found["all"]["step_up"]["count"], found["all"]["deny"]["count"]) == (3, 1)
    assert (found["all"]["step_up"]["budget"], found["all"]["deny"]["budget"]) == (0.02, None)
    assert [found[group]["step_up"]["count"] for group in ("cold", "thin", "warm")] == [1, 1, 1]
    assert [found[group]["step_up"]["among"] for group in ("cold", "thin", "warm")] == [2, 1, 1]
