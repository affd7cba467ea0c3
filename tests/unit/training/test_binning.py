"""Bins before boosting: the same edges as scikit-learn's own, hence the same trees, for a fraction of the work."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from training.binning import BINS, FARTHEST, binned, edges_of


def columns(rows: int = 1500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of many values, of few, of one and mostly of one; uneven weights; what to tell apart."""
    chance = np.random.default_rng(4)
    many, few = chance.normal(size=rows), chance.integers(0, 9, rows).astype(float)
    mostly = np.where(chance.random(rows) < 0.9, 0.0, chance.random(rows))
    values = np.stack([many, few, np.full(rows, 3.0), mostly], axis=1)
    weight = np.where(chance.random(rows) < 0.5, 0.4, 1.7)
    return values, weight, (many + few + 5 * mostly + chance.normal(size=rows) > 5).astype(float)


def test_trees_are_those_that_scikit_learn_grows_by_itself() -> None:
    """Every split falls between the same two values, and every leaf says the same."""
    values, weight, told = columns()
    settings = {"max_iter": 20, "max_leaf_nodes": 8, "early_stopping": False, "random_state": 3}
    bins = binned(values, weight)
    alone = HistGradientBoostingClassifier(**settings).fit(values, told, sample_weight=weight)
    ours = HistGradientBoostingClassifier(**settings).fit(bins.places, told, sample_weight=weight)
    for (theirs,), (own,) in zip(alone._predictors, ours._predictors, strict=True):
        assert (own.nodes["value"] == theirs.nodes["value"]).all()
        for node, expected in zip(own.nodes, theirs.nodes, strict=True):
            if not node["is_leaf"]:
                assert bins.edge(node["feature_idx"], node["num_threshold"]) == expected["num_threshold"]


def test_few_values_are_kept_apart_and_one_value_has_no_edge() -> None:
    """Each of up to 255 values is a bin of its own; one more makes quantiles of them."""
    assert edges_of(np.array([5.0, 1.0, 5.0, 2.0]), np.ones(4)).tolist() == [1.5, 3.5]
    assert edges_of(np.full(7, 2.0), np.ones(7)).tolist() == []
    assert len(edges_of(np.arange(BINS, dtype=float), np.ones(BINS))) == BINS - 1
    assert len(edges_of(np.arange(BINS + 1, dtype=float), np.ones(BINS + 1))) == BINS - 1


def test_no_edge_is_infinite() -> None:
    """Nothing finite lies beyond the last edge for the trees to tell from what is missing."""
    huge = np.concatenate([np.arange(400.0), np.full(400, 1e301)])
    assert edges_of(huge, np.ones(800)).max() == pytest.approx(FARTHEST)
