"""A trained model as one frozen value: everything scoring needs and nothing that it changes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.calibration import ScoreMap, Surprise
from risk_scorer.core.encoders import Encoders
from risk_scorer.core.features import Scales
from risk_scorer.core.forest import Forest
from risk_scorer.core.likelihood import Likelihood
from risk_scorer.core.manifest import Manifest
from risk_scorer.core.pairs import Pairs
from risk_scorer.core.reference import Reference
from risk_scorer.core.rules import RULES, RuleBook


@dataclass(frozen=True, slots=True)
class Hours:
    """Everyone's (24,) shares of logins by hour of their own zone, and how many logins' worth a person backs off to it.

    `weight` 0 where the log cannot tell hours.
    """

    profile: NDArray[np.float64]
    strength: float
    weight: float


@dataclass(frozen=True, slots=True)
class Model:
    """`features` are the declared ones; `absent` says why each other feature, level or rule is not measured.

    `reference` is None for a model that was made without one.
    """

    version: str
    features: tuple[str, ...]
    absent: Mapping[str, str]
    encoders: Encoders
    scales: Scales
    forest: Forest
    likelihood: Likelihood
    pairs: Pairs
    hours: Hours
    rules: RuleBook
    surprise: Surprise
    score_map: ScoreMap
    manifest: Manifest
    histories_sha256: str
    reference: Reference | None = None

    def reporting_only(self, names: Collection[str]) -> "Model":
        """The same with these rules weighing nothing: they are told where they match, and move no score."""
        weight = np.where([name in names for name in RULES], 0.0, self.rules.weight)
        return replace(self, rules=RuleBook(weight=weight))

    @property
    def uses_ip_facts(self) -> bool:
        """Whether the training log's addresses were real, so that what is known of an address was learned from."""
        return "ip_facts" not in self.absent
