"""60 and 80 keep their budgets: counted with a bound where there are enough logins, said to be a guess where not."""

import numpy as np
import pytest
from scipy import stats

from risk_scorer.contract.assessment import HIGH_FROM
from risk_scorer.core.calibration import weigh
from training.calibrate import extrapolated, mark, score_map, surprise, upper_bound


@pytest.mark.parametrize(
    ("prompted", "logins", "bound"),
    [(0, 100, 0.029513), (1, 100, 0.046560), (0, 2995, 0.000999751), (5, 1000, 0.010478), (100, 100, 1.0)],
)
def test_the_bound_is_clopper_and_pearsons(prompted: int, logins: int, bound: float) -> None:
    """One-sided at 95 %; for none in n it is 1 - 0.05^(1/n)."""
    assert upper_bound(prompted, logins) == pytest.approx(bound, rel=2e-3)
    if prompted == 0:
        assert upper_bound(0, logins) == pytest.approx(1.0 - 0.05 ** (1.0 / logins), rel=1e-9)


@pytest.mark.parametrize("budget", [0.02, 0.05, 0.001])
def test_a_mark_is_the_lowest_that_keeps_the_budget(budget: float) -> None:
    """The bound of those at or above it is within the budget; one login more would not be."""
    evidence = np.random.default_rng(0).normal(size=8000)
    found = mark(evidence, budget)
    assert found.prompted == (evidence >= found.evidence).sum()
    assert not found.is_extrapolated
    assert found.bound <= budget < upper_bound(found.prompted + 1, 8000)


def test_logins_with_the_same_evidence_are_prompted_together_or_not_at_all() -> None:
    """A tie at the mark does not push the prompted share over the budget."""
    evidence = np.concatenate([np.zeros(900), np.full(99, 5.0), [9.0]])
    found = mark(evidence, 0.05)
    assert (found.prompted, found.bound <= 0.05) == (1, True)


def test_logins_that_are_all_alike_are_not_prompted() -> None:
    """The mark lies above what everyone has."""
    assert mark(np.zeros(1000), 0.02).prompted == 0


@pytest.mark.parametrize(("logins", "counted"), [(149, True), (148, False)])
def test_too_few_logins_are_said_to_be_too_few(logins: int, counted: bool) -> None:
    """148 without one prompt do not prove 2 %, 149 do; the tail is read instead, and the mark says so."""
    found = mark(np.random.default_rng(1).exponential(size=logins), 0.02)
    assert found.is_extrapolated is not counted


def test_an_extrapolated_mark_follows_an_exponential_tail() -> None:
    """For exponential evidence the mark of share p is -ln p."""
    ranked = np.sort(np.random.default_rng(2).exponential(size=20_000))[::-1]
    assert extrapolated(ranked, 0.001) == pytest.approx(-np.log(0.001), rel=0.05)


def test_surprise_is_minus_log_of_the_tail_share() -> None:
    """What one login in a hundred exceeds is ln 100 nats."""
    unusual = np.random.default_rng(3).normal(size=50_000)
    found = surprise(unusual, 0.5)
    assert np.interp(stats.norm.isf(0.01), found.unusual, found.nats) == pytest.approx(np.log(100.0), abs=0.1)
    assert (np.diff(found.unusual) > 0).all()
    assert (np.diff(found.nats) > 0).all()


@pytest.mark.parametrize("unusual", [np.zeros(500), np.array([0.0, 1.0]), np.repeat([0.0, 1.0], 300)])
def test_surprise_rises_even_where_logins_are_all_alike(unusual: np.ndarray) -> None:
    """A degenerate forest still gives a map that can be used."""
    found = surprise(unusual, 0.5)
    assert len(found.unusual) >= 2
    assert (np.diff(found.unusual) > 0).all()


@pytest.mark.parametrize("scale", [0.0, 1e-12, 1.0, 100.0])
def test_the_score_map_rises_through_60_and_80_at_the_marks(scale: float) -> None:
    """Whatever the spread of evidence, the marks are knots and the map is strictly rising inside 0-100."""
    evidence = scale * np.random.default_rng(4).normal(size=5000)
    step_up, deny = mark(evidence, 0.02), mark(evidence, 0.001)
    found = score_map(evidence, step_up, deny)
    knots = dict(zip(found.score.tolist(), found.evidence.tolist(), strict=True))
    assert knots[60.0] == step_up.evidence
    assert knots[80.0] == max(deny.evidence, step_up.evidence + 0.5)
    assert (np.diff(found.evidence) > 0).all()
    assert (np.diff(found.score) > 0).all()
    assert 0.0 < found.score[0] < found.score[-1] < 100.0


def test_the_login_just_below_a_mark_scores_below_it() -> None:
    """Where no login may reach the mark, the highest one is not rounded onto it."""
    evidence = np.sort(np.random.default_rng(3).normal(0.0, 3.0, 3600))
    deny = mark(evidence, 0.001)
    assert deny.prompted == 0
    scale = score_map(evidence, mark(evidence, 0.02), deny)
    assert (weigh(evidence[:, None], np.zeros((len(evidence), 1)), scale).score < HIGH_FROM).all()
