"""The curves are the ones that scikit-learn would draw, and their grids lose nothing that is read off them."""

import numpy as np
import pytest
from sklearn import metrics

from risk_scorer.core.calibration import ScoreMap
from training.evaluation import curves
from training.evaluation.labels import Truth


def scores(seed: int, *, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    legitimate, attacks = chance.normal(30, 10, 900), chance.normal(45, 12, 150)
    return (legitimate.round(), attacks.round()) if ties else (legitimate, attacks)


def truth(legitimate: int, attacks: int) -> Truth:
    is_attack = np.arange(legitimate + attacks) >= legitimate
    return Truth(~is_attack, {"takeover": is_attack}, np.zeros(legitimate + attacks, int), "login events")


@pytest.mark.parametrize("ties", [False, True])
def test_every_point_of_the_roc_curve_is_scikit_learns(ties: bool) -> None:
    """With and without equal scores, point by point."""
    legitimate, attacks = scores(1, ties=ties)
    is_attack = np.repeat([0, 1], [len(legitimate), len(attacks)])
    expected_wrong, expected_found, _ = metrics.roc_curve(
        is_attack, np.concatenate([legitimate, attacks]), drop_intermediate=False
    )
    wrong, found = curves.roc(legitimate, attacks)
    np.testing.assert_allclose(wrong, expected_wrong)
    np.testing.assert_allclose(found, expected_found)


@pytest.mark.parametrize("ties", [False, True])
def test_areas_are_scikit_learns(ties: bool) -> None:
    """The area under the ROC curve and the average precision."""
    legitimate, attacks = scores(2, ties=ties)
    is_attack = np.repeat([0, 1], [len(legitimate), len(attacks)])
    both = np.concatenate([legitimate, attacks])
    assert curves.area(curves.roc(legitimate, attacks)) == pytest.approx(metrics.roc_auc_score(is_attack, both))
    assert curves.average_precision(curves.precision_recall(legitimate, attacks)) == pytest.approx(
        metrics.average_precision_score(is_attack, both)
    )


def test_every_point_of_precision_and_recall_is_scikit_learns() -> None:
    """From the highest threshold down; scikit-learn adds a last point without a threshold."""
    legitimate, attacks = scores(3, ties=True)
    is_attack = np.repeat([0, 1], [len(legitimate), len(attacks)])
    expected_precision, expected_recall, _ = metrics.precision_recall_curve(
        is_attack, np.concatenate([legitimate, attacks])
    )
    precision, recall = curves.precision_recall(legitimate, attacks)
    np.testing.assert_allclose(precision, expected_precision[-2::-1])
    np.testing.assert_allclose(recall, expected_recall[-2::-1])


def test_the_drawn_roc_curve_never_claims_more_than_was_reached() -> None:
    """At one percent the grid says the recall of the best threshold with at most that share of false positives."""
    legitimate, attacks = scores(4, ties=False)
    drawn = curves.roc_drawn(legitimate, attacks)
    at = int(np.argmin(np.abs(np.array(drawn["false_positive_rate"]) - 0.01)))
    assert drawn["false_positive_rate"][at] == pytest.approx(0.01)
    tenth_highest = np.sort(legitimate)[::-1][9]  # nine of 900 lie above it
    assert drawn["recall"][at] == pytest.approx(float((attacks > tenth_highest).mean()))
    assert drawn["recall"][-1] == 1.0


def test_the_drawn_precision_is_that_of_the_threshold_that_reaches_the_recall() -> None:
    """Ten attacks above everybody, ten below: full precision until half, then the log's mix."""
    attacks = np.concatenate([np.full(10, 99.0), np.full(10, 1.0)])
    drawn = curves.precision_recall_drawn(np.full(80, 50.0), attacks)
    assert drawn["precision"][50] == 1.0
    assert drawn["precision"][51] == pytest.approx(0.2)
    assert drawn["guessing"] == pytest.approx(0.2)


def test_reliability_counts_attacks_in_each_bin_of_the_score() -> None:
    """Rows at the upper edge of the scale belong to the last bin; empty bins are not there."""
    bins = curves.reliability(truth(3, 3), np.array([2.0, 2.0, 97.0, 4.999, 5.0, 100.0]))
    assert [(each["from"], each["to"], each["attacks"], each["among"]) for each in bins] == [
        (0.0, 5.0, 1, 3),
        (5.0, 10.0, 1, 1),
        (95.0, 100.0, 1, 2),
    ]


def test_what_the_scale_promised_stands_beside_what_is_found() -> None:
    """A quantile of the scale is an expectation, a mark a budget, and a knot that training dropped is not there."""
    scale = ScoreMap(evidence=np.array([0.0, 1.0, 2.0, 3.0]), score=np.array([2.0, 20.0, 60.0, 80.0]))
    score = np.concatenate([np.full(60, 10.0), np.full(38, 30.0), [60.0, 85.0], np.full(5, 99.0)])
    points = curves.promised(truth(100, 5), score, scale, {"step_up": 0.02, "deny": 0.001})
    assert [(at["score"], at["expected"], at["is_budget"], at["count"]) for at in points] == [
        (2.0, 0.995, False, 100),
        (20.0, 0.5, False, 40),
        (60.0, 0.02, True, 2),
        (80.0, 0.001, True, 1),
    ]


def test_histograms_count_everybody_once() -> None:
    """Both ends of the scale are inside."""
    told = curves.histograms(truth(4, 2), np.array([0.0, 1.9, 2.0, 100.0, 99.0, 60.0]))
    assert sum(told["counts"]["legitimate"]) == 4
    assert told["counts"]["legitimate"][:2] == [2, 1]
    assert told["counts"]["takeover"][30] == told["counts"]["takeover"][49] == 1
