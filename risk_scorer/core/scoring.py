"""The one function that scores: a single login is a batch of one, so bulk, stream and training agree to the bit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core import calibration, features, forest, likelihood, rules
from risk_scorer.core.calibration import Weighed
from risk_scorer.core.facts import NO_AGENT_FACTS, NO_FINGERPRINT_FACTS, NO_IP_FACTS, NO_PRESSURE, Pressure
from risk_scorer.core.history import UserHistory
from risk_scorer.core.model import Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.signals import Row, gather, table

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """Row i is event i: its numbers as `rows` and `signals`, its (n, WIDTH) `features`, its evidence and score."""

    rows: Sequence[Row]
    signals: Matrix
    features: Matrix
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
    seen = features.compute(signals, model.scales)
    weighed = calibration.weigh(
        forest.decision_function(model.forest, seen),
        likelihood.terms(signals, model.likelihood, total=model.scales.total, kinds=model.scales.kinds),
        likelihood.familiar(signals, model.likelihood),
        rules.matches(signals),
        model.rules.weight,
        surprise=model.surprise,
        score_map=model.score_map,
    )
    return Scored(rows, signals, seen, weighed)


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
