"""The reasons of a score as steps from nothing to the score: each begins where the one before it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from risk_scorer.contract.assessment import HIGH_FROM, MEDIUM_FROM, Reason
from risk_scorer.core.console.chips import Weight, weight_of, words_of
from risk_scorer.core.console.visible import written_out
from risk_scorer.core.reasons import BASELINE

MOST: Final = 100.0
"""The scale's end."""
MARKS: Final = (("step-up", MEDIUM_FROM), ("deny", HIGH_FROM))
"""Where decisions change, unless an application's marks say otherwise."""


class Step(Struct, frozen=True, kw_only=True):
    """One reason: from `before` to `after`, and the box between them, of `left` and `width` on the scale of 0-100."""

    words: str
    text: str
    observed: str
    usual: str
    points: float
    before: float
    after: float
    left: float
    width: float
    weight: Weight


class Waterfall(Struct, frozen=True, kw_only=True):
    """The steps in order, the baseline first, and their sum: it is the score, or `is_whole` says that it is not."""

    steps: tuple[Step, ...]
    total: float
    is_whole: bool


def waterfall(reasons: Sequence[Reason], score: float) -> Waterfall:
    """From the baseline on, then the weightiest first. Points are hundredths, so that they add up exactly."""
    ordered = sorted(reasons, key=lambda reason: (reason.code != BASELINE, -reason.points))
    steps, at = [], 0
    for reason in ordered:
        to = at + round(reason.points * 100.0)
        steps.append(_step(reason, at / 100.0, to / 100.0))
        at = to
    return Waterfall(steps=tuple(steps), total=at / 100.0, is_whole=abs(at - round(score * 100.0)) <= 0)


def _step(reason: Reason, before: float, after: float) -> Step:
    low, high = sorted((min(MOST, max(0.0, before)), min(MOST, max(0.0, after))))
    return Step(
        words="all that is familiar" if reason.code == BASELINE else words_of(reason.code),
        text=written_out(reason.text),
        observed=written_out(reason.observed),
        usual=written_out(reason.usual),
        points=reason.points,
        before=before,
        after=after,
        left=low,
        width=round(high - low, 2),
        weight="light" if reason.code == BASELINE else weight_of(reason.points),
    )
