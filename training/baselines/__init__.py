"""What a model must beat: published and plain ways to score a login, run over the same log by the same protocol."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.baselines import asn_rarity, freeman, global_frequency
from training.baselines.log_columns import LogColumns

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Baseline:
    """`score` gives (n,) scores, higher is riskier, of which only those of the judged rows mean anything."""

    name: str
    title: str
    source: str
    score: Callable[[LogColumns, NDArray[np.bool_]], Scores]


BASELINES = (
    Baseline("global_frequency", "Isolation forest over global frequencies", global_frequency.SOURCE,
             global_frequency.score),
    Baseline("freeman", "Freeman likelihood ratio, published weights", freeman.SOURCE, freeman.score),
    Baseline("asn_rarity", "How rare the login's network operator is", asn_rarity.SOURCE, asn_rarity.score),
)  # fmt: skip
"""Each learns from the rows that are not judged; what goes on counting does so row by row, after the look."""

__all__ = ["BASELINES", "Baseline", "LogColumns"]
