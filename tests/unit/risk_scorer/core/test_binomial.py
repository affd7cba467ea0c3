"""Limits of shares agree with the statistics library that the serving path does without."""

import pytest
from scipy import stats

from risk_scorer.core.binomial import beta_below, limits

AMONG = (1, 7, 50, 1_000, 100_000, 10_000_000)
CASES = [(count, among) for among in AMONG for count in sorted({0, 1, among // 50, among // 2, among - 1, among})]


@pytest.mark.parametrize(("count", "among"), CASES)
def test_limits_are_those_of_clopper_and_pearson(count: int, among: int) -> None:
    """At none, at all, and between, for few logins and for many."""
    low, high = limits(count, among)
    assert low == pytest.approx(stats.beta.ppf(0.025, count, among - count + 1) if count else 0.0, rel=1e-7, abs=1e-12)
    assert high == pytest.approx(
        stats.beta.ppf(0.975, count + 1, among - count) if count < among else 1.0, rel=1e-7, abs=1e-12
    )


def test_nothing_is_known_among_none() -> None:
    """No login: every share is possible."""
    assert limits(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("x", "expected"), [(-1.0, 0.0), (0.0, 0.0), (1.0, 1.0), (2.0, 1.0)])
def test_the_distribution_ends_at_0_and_1(x: float, expected: float) -> None:
    """Below 0 lies nothing, above 1 nothing more."""
    assert beta_below(x, 2.0, 3.0) == expected
