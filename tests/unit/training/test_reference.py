"""Where the bins of a reference lie."""

import numpy as np
import pytest

from training.reference import edges_of


def bins(values: np.ndarray, edges: tuple[float, ...]) -> list[float]:
    return (np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1) / len(values)).tolist()


def test_a_number_without_gaps_is_cut_into_tenths_and_tails() -> None:
    """No bin of it is empty, none holds much more than a tenth."""
    values = np.random.default_rng(1).normal(size=20_000)
    shares = bins(values, edges_of(values))
    assert len(shares) == 14
    assert min(shares) > 0.0
    assert max(shares) < 0.2


def test_what_is_nearly_always_the_same_has_a_bin_for_when_it_is_not() -> None:
    """One login in a hundred is seen when it becomes one in ten."""
    values = np.array([0.0] * 990 + [1.0] * 10)
    assert bins(values, edges_of(values)) == [0.99, 0.01]


def test_what_never_varies_has_bins_on_either_side() -> None:
    """Live logins may fall there."""
    values = np.full(50, 3.0)
    assert bins(values, edges_of(values)) == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(("gap", "shares"), [(0.25, [0.5, 0.5]), (0.15, [0.0, 1.0, 0.0])])
def test_no_edge_lies_close_to_values_that_many_share(gap: float, shares: list[float]) -> None:
    """Two browsers that are about as common have one bin, lest one of them changes it all alone."""
    values = np.array([1.0] * 500 + [1.0 + gap] * 500)
    assert bins(values, edges_of(values, 0.2)) == shares


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_handful_of_logins_has_edges_too(rows: int) -> None:
    """They rise, and there is one at least."""
    edges = edges_of(np.arange(float(rows)))
    assert edges
    assert all(np.diff(edges) > 0)
