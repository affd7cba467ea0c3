"""The one function that scores: a single login is a batch of one, so bulk, stream and training agree to the bit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core import calibration, features, forest, habits, likelihood, pairs, rules
from risk_scorer.core.calibration import ScoreMap, Surprise, Weighed
from risk_scorer.core.facts import NO_AGENT_FACTS, NO_FINGERPRINT_FACTS, NO_IP_FACTS, NO_PRESSURE, Pressure
from risk_scorer.core.forest import Forest
from risk_scorer.core.history import UserHistory
from risk_scorer.core.likelihood import Likelihood
from risk_scorer.core.model import Hours, Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.pairs import Pairs
from risk_scorer.core.rules import RuleBook
from risk_scorer.core.shares import shares
from risk_scorer.core.signals import Row, gather, table
from risk_scorer.core.terms import Found, together

Matrix = NDArray[np.float64]


class Parts(Protocol):
    """What evidence is made with: a model, or parts of one that is being trained."""

    @property
    def forest(self) -> Forest: ...
    @property
    def likelihood(self) -> Likelihood: ...
    @property
    def pairs(self) -> Pairs: ...
    @property
    def hours(self) -> Hours: ...
    @property
    def rules(self) -> RuleBook: ...
    @property
    def surprise(self) -> Surprise: ...


@dataclass(frozen=True, slots=True)
class Scored:
    """Row i is event i: its numbers as `rows` and `signals`, its (n, WIDTH) `features`, its evidence and score.

    `matches` (n, rules) is how far each rule matches, report-only ones among them.
    """

    rows: Sequence[Row]
    signals: Matrix
    features: Matrix
    matches: Matrix
    weighed: Weighed

    @property
    def score(self) -> Matrix:
        """(n,) from 0 to 100, unrounded: what to rank by."""
        return self.weighed.score


def score_many(
    model: Model,
    observations: Sequence[Observation],
    histories: Sequence[UserHistory | None],
    pressures: Sequence[Pressure] | None = None,
) -> Scored:
    """Scores each observation against its history (None: a person never seen) and the pressure around it.

    Without `pressures` nothing is being tried. Changes nothing, learns nothing.
    """
    encoders, around = model.encoders, [NO_PRESSURE] * len(observations) if pressures is None else pressures
    each = zip(observations, histories, around, strict=True)
    return score_rows(model, [gather(encoders, seen, past, pressure) for seen, past, pressure in each])


def score_rows(model: Model, rows: Sequence[Row]) -> Scored:
    """The same for signals gathered earlier: a stream gathers before it learns and scores whole chunks."""
    signals = table(rows)
    shared = shares(signals, model.scales.total, model.scales.kinds)
    seen = features.compute(signals, shared, model.scales)
    measured = Measured(signals, shared, seen, rules.matches(signals))
    return Scored(rows, signals, seen, measured.matches, weighed(model, measured, model.score_map))


@dataclass(frozen=True, slots=True)
class Measured:
    """Logins as numbers: (n, columns) `signals`, (n, 14) `shares`, (n, WIDTH) `features`, (n, rules) `matches`."""

    signals: Matrix
    shares: Matrix
    features: Matrix
    matches: Matrix


def weighed(parts: Parts, measured: Measured, score_map: ScoreMap) -> Weighed:
    """The evidence of these logins, put on a scale."""
    levels, hours, signals = parts.likelihood, parts.hours, measured.signals
    given = pairs.inputs(signals, likelihood.ratios(signals, measured.shares, levels), levels.used)
    found = Found(
        surprise=calibration.surprises(forest.decision_function(parts.forest, measured.features), parts.surprise),
        parts=pairs.parts(parts.pairs, given),
        rarity=likelihood.rarity(signals, levels),
        hour=hours.weight * habits.hour_terms(signals, hours.profile, hours.strength),
        rules=measured.matches * parts.rules.weight,
    )
    return calibration.weigh(*together(signals, found, parts.pairs.usual), score_map)


def warm(model: Model) -> None:
    """Compiles or loads every kernel, so that the first login does not wait for it."""
    score_many(model, [NOBODY], [None])


NOBODY = Observation(
    event_id="",
    ts=0.0,
    user_id="",
    ip="",
    prefix="",
    asn=0,
    asn_key="",
    country="",
    region="",
    city="",
    device_id="",
    user_agent="",
    browser="",
    browser_version="",
    os="",
    device_type="",
    ja4="",
    ja4h="",
    ja4s="",
    success=True,
    ip_rep=0.0,
    network=NO_IP_FACTS,
    agent=NO_AGENT_FACTS,
    fingerprint=NO_FINGERPRINT_FACTS,
)
"""A login of which nothing is known."""
