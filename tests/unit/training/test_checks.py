"""A model is refused when a feature cannot matter, a quiet login is stopped or the worst one is not."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from risk_scorer.core.calibration import ScoreMap
from risk_scorer.core.features import COLUMN_OF_FEATURE, FEATURES
from tests.unit.risk_scorer.core.small import isolation, known, model
from tests.unit.training.logs import LOOKUPS, log
from training.checks import (
    LOOKED_UP,
    DeadFeature,
    require_living_features,
    require_quiet_logins_pass,
    require_worst_case_denied,
    varying,
)
from training.judging import Parts
from training.refusals import TrainingRefusedError
from training.sweep import Block, sweep

RANGES = isolation()[1]
SMALL = model()
PARTS = Parts(
    forest=SMALL.forest,
    likelihood=SMALL.likelihood,
    pairs=SMALL.pairs,
    hours=SMALL.hours,
    rules=SMALL.rules,
    surprise=SMALL.surprise,
)


@cache
def last_block() -> Block:
    """The newest logins of a small log, as they are met."""
    return sweep(log(600), LOOKUPS).held_out[-1]


def test_a_feature_that_differs_in_one_block_varies() -> None:
    """Once is enough."""
    same, differs = np.ones((5, len(FEATURES))), np.ones((5, len(FEATURES)))
    differs[2] = 2.0
    assert varying([same, differs], FEATURES) == FEATURES


def test_a_feature_that_only_drifts_between_blocks_does_not_vary() -> None:
    """The frequency of a value that all logins have changes with the log's length, and tells nothing."""
    blocks = [np.full((5, len(FEATURES)), value) for value in (1.0, 2.0)]
    with pytest.raises(DeadFeature, match="hour is the same"):
        varying(blocks, ["hour"])
    assert varying(blocks, ["ip_rep", "ja4_valid", "place_distance", "speed", "recent_failures"]) == ()


@pytest.mark.parametrize("name", FEATURES)
def test_only_looked_up_facts_and_failures_may_be_the_same_in_every_login(name: str) -> None:
    """Any other constant feature means that the log lacks its column."""
    constant = [np.ones((5, len(FEATURES)))]
    if name in LOOKED_UP:
        assert varying(constant, [name]) == ()
        return
    with pytest.raises(DeadFeature) as refused:
        varying(constant, [name])
    assert COLUMN_OF_FEATURE[name] in str(refused.value)


def test_a_feature_that_the_forest_never_asks_for_is_dead() -> None:
    """Varying it over its whole range moves no score; the refusal names it."""
    forest = replace(SMALL.forest, feature=np.where(SMALL.forest.feature == 3, 4, SMALL.forest.feature))
    with pytest.raises(DeadFeature) as refused:
        require_living_features(FEATURES, replace(PARTS, forest=forest), SMALL.score_map, last_block(), fitted=RANGES)
    assert refused.value.feature == FEATURES[3] == "user_freq"


def test_features_that_move_some_login_live() -> None:
    """No refusal."""
    require_living_features(FEATURES, PARTS, SMALL.score_map, last_block(), fitted=RANGES)


def test_a_silent_forest_makes_every_feature_dead() -> None:
    """When its number counts for nothing, none of its features can decide anything."""
    silent = replace(PARTS, surprise=replace(SMALL.surprise, weight=0.0))
    with pytest.raises(DeadFeature):
        require_living_features(FEATURES, silent, SMALL.score_map, last_block(), fitted=RANGES)


@pytest.mark.parametrize(("score", "refused"), [(59.9, False), (60.0, True)])
def test_usual_logins_must_be_let_in(score: float, refused: bool) -> None:
    """Their median decides, on both sides of 60."""
    scores = np.full(len(last_block().signals), score)
    if not refused:
        assert require_quiet_logins_pass(last_block().signals, scores) is None
        return
    with pytest.raises(TrainingRefusedError, match="quiet_login_flagged"):
        require_quiet_logins_pass(last_block().signals, scores)


def test_a_log_without_usual_logins_says_that_it_cannot_tell() -> None:
    """A note, not a silent pass."""
    note = require_quiet_logins_pass(np.zeros_like(last_block().signals), np.zeros(len(last_block().signals)))
    assert note is not None
    assert "not known" in note


def test_everything_at_its_worst_must_be_denied() -> None:
    """A scale on which nothing reaches 80 is refused."""
    assert require_worst_case_denied(SMALL, known()) >= 80.0
    flat = replace(SMALL, score_map=ScoreMap(np.array([0.0, 1000.0]), np.array([10.0, 60.0])))
    with pytest.raises(TrainingRefusedError, match="worst_case_below_deny"):
        require_worst_case_denied(flat, known())
