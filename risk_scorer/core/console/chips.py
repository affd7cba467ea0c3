"""Reasons as chips: few words, how much of the score, and how loud."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from risk_scorer.contract.assessment import Reason
from risk_scorer.core.console.visible import written_out
from risk_scorer.core.reasons import BASELINE

Weight = Literal["heavy", "middling", "light", "relief"]
HEAVY_POINTS: Final = 15.0
MIDDLING_POINTS: Final = 5.0


class Chip(Struct, frozen=True, kw_only=True):
    """One reason: its code in words, its points, and its text for whoever wants to know more."""

    code: str
    words: str
    points: float
    text: str
    weight: Weight


def chips(reasons: Iterable[Reason]) -> tuple[Chip, ...]:
    """Every reason but the baseline, the weightiest first as they come."""
    return tuple(
        Chip(
            code=reason.code,
            words=words_of(reason.code),
            points=reason.points,
            text=written_out(reason.text),
            weight=weight_of(reason.points),
        )
        for reason in reasons
        if reason.code != BASELINE
    )


def words_of(code: str) -> str:
    """A reason's code as a person would say it: "new_device" is "new device"."""
    return written_out(code.replace("_", " "))


def weight_of(points: float) -> Weight:
    """How loud a part of the score is; one that lowers it is a relief."""
    if points < 0.0:
        return "relief"
    if points >= HEAVY_POINTS:
        return "heavy"
    return "middling" if points >= MIDDLING_POINTS else "light"
