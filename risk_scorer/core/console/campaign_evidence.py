"""Why a campaign is one, mark by mark: what each adds, and that together they are its score."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from risk_scorer.contract.campaigns import Campaign
from risk_scorer.core.console.chips import Weight, weight_of, words_of
from risk_scorer.core.console.visible import written_out

HUNDREDTHS: Final = 100


class MarkStep(Struct, frozen=True, kw_only=True):
    """One mark: `nats` of evidence, `points` of the score from `before` to `after`."""

    words: str
    text: str
    accounts: int
    nats: float
    points: float
    before: float
    after: float
    weight: Weight


class Adding(Struct, frozen=True, kw_only=True):
    """The steps, the strongest first; `total` is the campaign's score."""

    steps: tuple[MarkStep, ...]
    nats: float
    total: float


def adding(campaign: Campaign) -> Adding:
    """The score shared out by what each mark says; the last takes what rounding left, so that they add up."""
    marks = campaign.evidence.marks
    nats = sum(mark.nats for mark in marks)
    steps, said, at = [], 0.0, 0
    for mark in marks:
        said += mark.nats
        to = round(HUNDREDTHS * campaign.score * said / nats) if nats else 0
        points = (to - at) / HUNDREDTHS
        steps.append(
            MarkStep(
                words=words_of(mark.name),
                text=written_out(mark.text),
                accounts=mark.accounts,
                nats=mark.nats,
                points=points,
                before=at / HUNDREDTHS,
                after=to / HUNDREDTHS,
                weight=weight_of(points),
            )
        )
        at = to
    return Adding(steps=tuple(steps), nats=nats, total=at / HUNDREDTHS)
