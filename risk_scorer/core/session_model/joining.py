"""Joins the two detectors that ask the session model to the others, and chooses the scale."""

from collections.abc import Callable, Iterable

from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.detectors.attack_sequence import AttackSequence
from risk_scorer.core.activity.detectors.session_window import SessionWindow
from risk_scorer.core.activity.scale import Scale
from risk_scorer.core.session_model.model import SEQUENCE_NAME, WINDOW_NAME, SessionModel

Current = Callable[[], SessionModel | None]
"""The model in use, None while there is none; asked at every event, so that a new one is used at once."""


def with_learned(detectors: Iterable[Detector], current: Current) -> tuple[Detector, ...]:
    """All detectors, the learned ones last. Without a model these say that they do not know, and remember anyway."""
    others = [each for each in detectors if each.name not in (WINDOW_NAME, SEQUENCE_NAME)]
    return (*others, SessionWindow(current), AttackSequence(current))


def scale_with(model: SessionModel | None, shipped: Scale) -> Scale:
    """The model's own scale, which was fitted with its detectors; without a model the one that we ship."""
    return shipped if model is None else model.scale
