"""A checked session model, and what it answers: how unusual a window is, how likely an attack a sequence is."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import mul
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk_scorer.contract.prediction import Anomaly
from risk_scorer.core.activity.evidence import NAME as EVIDENCE
from risk_scorer.core.activity.evidence import Evidence, standing_nats
from risk_scorer.core.activity.memory import Memory
from risk_scorer.core.activity.scale import Scale
from risk_scorer.core.forest import Forest, decision_function
from risk_scorer.core.session_model.manifest import SessionManifest
from risk_scorer.core.session_model.sequence import FOUND, STEPS, Steps, numbers
from risk_scorer.core.session_model.window import Everyone, Habits, Row, vector

WINDOW_NAME: Final = "session_window"
SEQUENCE_NAME: Final = "attack_sequence"
"""Names of the two detectors that ask this model; memories are keyed by them."""

Matrix = NDArray[np.float64]
BaselineOf = Callable[[str], Habits | None]


@dataclass(frozen=True)
class Predictor:
    """A regularised logistic regression: weight of each input by name, intercept, and the prior log odds.

    `of_steps` are the weights of `STEPS`, in their order.
    """

    weights: Mapping[str, float]
    intercept: float
    prior: float

    @cached_property
    def of_steps(self) -> tuple[float, ...]:
        return tuple(self.weights.get(name, 0.0) for name in STEPS)


@dataclass(frozen=True)
class SessionModel:
    """`mean` and `spread` scale a window for the forest; `unusual` and `nats` are knots of how rare its answer is."""

    version: str
    everyone: Everyone
    mean: Matrix
    spread: Matrix
    forest: Forest
    threshold: float
    threshold_percentile: float
    unusual: Matrix
    nats: Matrix
    predictor: Predictor
    scale: Scale
    manifest: SessionManifest
    people: Mapping[str, msgspec.Raw]

    def baseline(self, user_id: str) -> Habits | None:
        """The habits that the training log shows of a person, None for one it does not know."""
        stored = self.people.get(user_id)
        return None if stored is None else msgspec.msgpack.decode(stored, type=Habits)

    def anomaly_scores(self, windows: Matrix) -> Matrix:
        """(n,) how unusual each window (n, features) is; the higher the stranger."""
        return -decision_function(self.forest, (windows - self.mean) / self.spread)

    def rarity(self, anomaly_score: float) -> float:
        """Nats: how rarely a window that was trained on is as unusual."""
        return float(np.interp(anomaly_score, self.unusual, self.nats))

    def predict(self, rows: Sequence[Row], live: BaselineOf = lambda user_id: None) -> list[Anomaly]:
        """For each row, held against the person's habits: those that live scoring knows, else those of training."""
        habits = [live(row.user_id) or self.baseline(row.user_id) for row in rows]
        windows = [vector(row, known, self.everyone) for row, known in zip(rows, habits, strict=True)]
        if not windows:
            return []
        scores = self.anomaly_scores(np.array(windows))
        return [
            Anomaly(
                anomaly_score=round(score, 6),
                is_anomaly=score >= self.threshold,
                threshold_percentile=self.threshold_percentile,
                baseline="everyone" if known is None or not known.sessions else "person",
            )
            for score, known in zip(scores.tolist(), habits, strict=True)
        ]

    def log_odds(self, steps: Steps, evidence: Evidence | None) -> float:
        """How much the sequence speaks for an attack, as trained on invented sessions."""
        chosen = self.predictor
        odds: float = chosen.intercept + sum(map(mul, chosen.of_steps, numbers(steps)))
        for name, nats in found_nats(evidence).items():
            odds += chosen.weights.get(FOUND + name, 0.0) * nats
        return odds


def found_nats(evidence: Evidence | None) -> dict[str, float]:
    """What each other detector holds against the session, by its name; nothing of this model's own predictor."""
    if evidence is None or not evidence.held:
        return {}
    return {name: max(0.0, standing_nats(held)) for name, held in evidence.held.items() if name != SEQUENCE_NAME}


def attack_likelihood(model: SessionModel | None, session: Memory) -> float | None:
    """The share of invented sessions of this shape that are attacks; None without a model or before any event."""
    steps: Any = session.get(SEQUENCE_NAME)
    if model is None or not model.predictor.weights or not isinstance(steps, Steps) or not steps.events:
        return None
    odds = model.log_odds(steps, session.get(EVIDENCE))
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, odds))))
