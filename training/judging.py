"""Scores a block of the training log with parts that are not a model yet, by the scorer's own functions."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core import calibration, features, forest, likelihood, rules
from risk_scorer.core.calibration import ScoreMap, Surprise, Weighed
from risk_scorer.core.forest import Forest
from risk_scorer.core.likelihood import Likelihood
from risk_scorer.core.rules import WEIGHTS
from training.sweep import Block

Matrix = NDArray[np.float64]

RULE_WEIGHTS = np.array(list(WEIGHTS.values()))
ANY_MAP = ScoreMap(evidence=np.array([0.0, 1.0]), score=np.array([40.0, 60.0]))
"""A scale for when only the evidence is asked for."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What evidence is made with; frequencies come with each block."""

    forest: Forest
    likelihood: Likelihood
    surprise: Surprise


def evidence(parts: Parts, block: Block) -> Matrix:
    """(n,) nats of each login of the block."""
    return weighed(parts, block, ANY_MAP).total


def weighed(parts: Parts, block: Block, score_map: ScoreMap, *, seen: Matrix | None = None) -> Weighed:
    """The block's logins on this scale; `seen` replaces the features that the block would have."""
    scale, unseen = block.rarity
    levels = replace(parts.likelihood, scale=scale, unseen=unseen)
    matrix = features.compute(block.signals, block.scales) if seen is None else seen
    return calibration.weigh(
        forest.decision_function(parts.forest, matrix),
        likelihood.terms(block.signals, levels, total=block.scales.total, kinds=block.scales.kinds),
        likelihood.familiar(block.signals, levels),
        rules.matches(block.signals),
        RULE_WEIGHTS,
        surprise=parts.surprise,
        score_map=score_map,
    )
