"""The forest that is grown here: whole, the same each time, and as discerning as scikit-learn's."""

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from risk_scorer.core.campaigns.isolation import TREES, grown
from risk_scorer.core.forest import decision_function
from risk_scorer.core.trees import problem


def rows() -> tuple[np.ndarray, np.ndarray]:
    """Ordinary rows and a few that lie out, with a column that is the same everywhere."""
    chance = np.random.default_rng(4)
    usual, odd = chance.normal(size=(1500, 6)), chance.normal(loc=2.5, scale=2.0, size=(30, 6))
    values = np.concatenate([usual, odd])
    values[:, 5] = 1.0
    return values, np.arange(len(values)) >= len(usual)


def test_a_grown_forest_can_be_walked() -> None:
    """No walk leaves its arrays, and each ends at a leaf."""
    values, _ = rows()
    forest = grown(values, 3)
    assert problem(forest, [forest.path], trees_said=TREES, inputs=6) is None


def test_it_tells_outliers_as_well_as_the_library_does() -> None:
    """Within the noise of two forests."""
    values, is_odd = rows()
    ours = roc_auc_score(is_odd, -decision_function(grown(values, 3), values))
    theirs = roc_auc_score(is_odd, -IsolationForest(random_state=3).fit(values).decision_function(values))
    assert ours > 0.95
    assert abs(ours - theirs) < 0.02


def test_the_same_rows_and_seed_grow_the_same_forest() -> None:
    """Scores of accounts do not jump from look to look."""
    values, _ = rows()
    first, again = decision_function(grown(values, 3), values), decision_function(grown(values, 3), values)
    assert (first == again).all()


def test_rows_that_are_all_alike_are_no_outliers() -> None:
    """A forest of leaves alone."""
    values = np.ones((300, 4))
    forest = grown(values, 1)
    assert (decision_function(forest, values) == decision_function(forest, values)[0]).all()
    assert len(forest.child) == TREES
