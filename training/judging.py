"""Scores a block of the training log with parts that are not a model yet, by the scorer's own functions."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core import features, rules, scoring
from risk_scorer.core.calibration import ScoreMap, Surprise, Weighed
from risk_scorer.core.forest import Forest
from risk_scorer.core.likelihood import Likelihood
from risk_scorer.core.model import Hours
from risk_scorer.core.pairs import Pairs
from risk_scorer.core.rules import RuleBook
from risk_scorer.core.scoring import Measured
from risk_scorer.core.shares import shares
from training.sweep import Block

Matrix = NDArray[np.float64]

ANY_MAP = ScoreMap(evidence=np.array([0.0, 1.0]), score=np.array([40.0, 60.0]))
"""A scale for when only the evidence is asked for."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What evidence is made with; frequencies come with each block."""

    forest: Forest
    likelihood: Likelihood
    pairs: Pairs
    hours: Hours
    rules: RuleBook
    surprise: Surprise


def evidence(parts: Parts, block: Block) -> Matrix:
    """(n,) nats of each login of the block."""
    return weighed(parts, block, ANY_MAP).total


def weighed(parts: Parts, block: Block, score_map: ScoreMap, *, seen: Matrix | None = None) -> Weighed:
    """The block's logins on this scale; `seen` replaces the features that the block would have."""
    return weighed_signals(parts, block, block.signals, score_map, seen=seen)


def weighed_signals(
    parts: Parts, block: Block, signals: Matrix, score_map: ScoreMap, *, seen: Matrix | None = None
) -> Weighed:
    """Signals that were measured against the block's frequencies, on this scale."""
    scale, unseen = block.rarity
    current = replace(parts, likelihood=replace(parts.likelihood, scale=scale, unseen=unseen))
    shared = shares(signals, block.scales.total, block.scales.kinds)
    matrix = features.compute(signals, shared, block.scales) if seen is None else seen
    return scoring.weighed(current, Measured(signals, shared, matrix, rules.matches(signals)), score_map)
