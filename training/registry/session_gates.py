"""What a session model has to pass before it speaks about anybody's sessions."""

import numpy as np

from risk_scorer.core.card import ModelCard
from risk_scorer.core.registry import Finding
from risk_scorer.core.session_model.model import SessionModel
from risk_scorer.core.session_model.window import FEATURES
from training.registry.gates import ALL, age, budget, unpaired

GATES = ("budget_step_up", "budget_deny", "recall", "dead_feature", "data_age", "real_data")


def findings(
    model: SessionModel, card: ModelCard, active: ModelCard | None, *, now: float, max_data_age_days: float
) -> tuple[Finding, ...]:
    """What each gate of `GATES` found, in that order. `now` is epoch seconds."""
    return (
        budget(card, "step_up", "sessions"),
        budget(card, "deny", "sessions"),
        _recall(card, active),
        _living(model),
        age(card, now, max_data_age_days, "event"),
        _real(model),
    )


def _recall(card: ModelCard, active: ModelCard | None) -> Finding:
    """Attacks of the labels that reach 60, held against the version in use; each on its own held-out sessions."""
    mine = card.strangers.get(ALL)
    theirs = None if active is None else active.strangers.get(ALL)
    if mine is None or theirs is None:
        return Finding(gate="recall", passed=True, text="nothing to hold it against")
    difference = unpaired(mine, theirs)
    text = f"{difference.value:+.1%} ({difference.low:+.1%} to {difference.high:+.1%}) of labelled attacks"
    return Finding(gate="recall", passed=difference.high >= 0.0, text=text)


def _living(model: SessionModel) -> Finding:
    """Every feature of a window is asked by some tree, and the predictor weighs something."""
    inner = model.forest.child != np.arange(len(model.forest.child))
    asked = set(model.forest.feature[inner].tolist())
    dead = [name for place, name in enumerate(FEATURES) if place not in asked]
    dead += [] if model.predictor.weights else ["the predictor of attack-like sequences"]
    text = f"{', '.join(dead)} can move no score" if dead else f"all {len(FEATURES)} and the predictor can move a score"
    return Finding(gate="dead_feature", passed=not dead, text=text)


def _real(model: SessionModel) -> Finding:
    """A model of invented people may be tried out, but not by oversight."""
    synthetic = model.manifest.is_synthetic
    text = "fitted on invented people and attacks" if synthetic else "fitted on a log that nobody calls invented"
    return Finding(gate="real_data", passed=not synthetic, text=text)
