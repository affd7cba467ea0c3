"""The walked forest says what scikit-learn says."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from risk_scorer.core.features import FEATURES
from risk_scorer.core.forest import decision_function
from tests.unit.risk_scorer.core.small import isolation
from training.forest_export import average_path, export, rounded_down


@pytest.mark.parametrize("rows", [1, 255, 256, 257, 1000])
def test_decision_function_equals_scikit_learn(rows: int) -> None:
    """Within 1e-12, on both sides of every block boundary."""
    fitted, seen = isolation()
    walked = export(fitted, np.arange(len(FEATURES)))
    assert decision_function(walked, seen[:rows]) == pytest.approx(fitted.decision_function(seen[:rows]), abs=1e-12)


def test_a_feature_exactly_on_a_threshold_goes_left_as_in_scikit_learn() -> None:
    """Values that round to a threshold are compared as scikit-learn compares them: float32 against float64."""
    grid = np.random.default_rng(0).integers(0, 4, size=(600, 3)) / 3.0
    fitted = IsolationForest(n_estimators=50, random_state=1).fit(grid)
    walked = export(fitted, np.arange(3))
    edges = np.unique(np.concatenate([tree.tree_.threshold for tree in fitted.estimators_]))
    rows = np.stack([edges, np.nextafter(edges, 9.0), np.nextafter(edges, -9.0)], axis=1)
    assert decision_function(walked, rows) == pytest.approx(fitted.decision_function(rows), abs=1e-12)


def test_one_row_is_walked_to_the_same_bits_as_in_a_batch() -> None:
    """Neither its neighbours nor its place in a block matter to a row."""
    fitted, seen = isolation()
    walked = export(fitted, np.arange(len(FEATURES)))
    together = decision_function(walked, seen[:600])
    alone = np.concatenate([decision_function(walked, seen[row : row + 1]) for row in range(600)])
    assert (together == alone).all()


def test_a_forest_over_some_columns_reads_only_those() -> None:
    """Feature j of the fitted forest is read from the column it was given."""
    fitted, seen = isolation()
    shifted = np.concatenate([np.full((50, 4), 1e9), seen[:50]], axis=1)
    walked = export(fitted, np.arange(len(FEATURES)) + 4)
    assert decision_function(walked, shifted) == pytest.approx(fitted.decision_function(seen[:50]), abs=1e-12)


def test_thresholds_round_down_never_up() -> None:
    """The float32 threshold is the largest one that is not above the float64."""
    thresholds = np.random.default_rng(2).normal(size=10_000)
    rounded = rounded_down(thresholds)
    assert (rounded.astype(np.float64) <= thresholds).all()
    assert (np.nextafter(rounded, np.float32(np.inf)).astype(np.float64) > thresholds).all()


@pytest.mark.parametrize(("samples", "expected"), [(0, 0.0), (1, 0.0), (2, 1.0), (3, 1.2073923), (256, 10.2447709)])
def test_average_path_follows_the_paper(samples: int, expected: float) -> None:
    """Equation 1 of Liu et al. 2008: 2 H(n - 1) - 2 (n - 1) / n, with H(i) taken as ln(i) + Euler's constant."""
    assert average_path(np.array([samples]))[0] == pytest.approx(expected, abs=1e-6)
