"""The overview's figures: shares with their limits, detections with their ATT&CK technique, quantiles of buckets."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from risk_scorer.contract.attack import (
    BY_REASON,
    BY_SIGNAL,
    OF_RISKY_LOGIN,
    OF_RISKY_SESSION,
    TECHNIQUES,
    Technique,
)
from risk_scorer.core.binomial import limits
from risk_scorer.core.console.chips import words_of
from risk_scorer.core.console.pictures import Bar, bars

MINUTE_SECONDS: Final = 60.0
MINUTES: Final = 60
MOST_DETECTIONS: Final = 8
FEWEST_TIMED: Final = 20
"""Answers below which a p95 is the slowest of a few."""

Standing = Literal["within", "above", "open", "unknown"]


class Prompted(Struct, frozen=True, kw_only=True):
    """People who were asked for a factor among those who were let in, with 95 % limits (Clopper-Pearson), beside the
    budget. `above` and `within` are what the limits prove; between them it is `open`."""

    count: int
    among: int
    share: float
    low: float
    high: float
    budget: float
    standing: Standing


class Detection(Struct, frozen=True, kw_only=True):
    """A reason that risky sign-ins had, or a signal of risky sessions; how many, and what it may be a sign of."""

    code: str
    words: str
    count: int
    technique: Technique
    is_own: bool


class Rate(Struct, frozen=True, kw_only=True):
    """Scored sign-ins by minute over an hour, the last whole minute, and the busiest."""

    minutes: tuple[int, ...]
    last: int
    most: int
    bars: tuple[Bar, ...]


class Timed(Struct, frozen=True, kw_only=True):
    """95 % of so many answers took at most so long; the bound is that of a bucket, None where it is above all."""

    count: int
    at_most_ms: float | None


def prompted(count: int, among: int, budget: float) -> Prompted:
    """The share with its limits beside the budget."""
    low, high = limits(count, among)
    standing: Standing = "above" if low > budget else "within" if high <= budget else "open"
    return Prompted(
        count=count,
        among=among,
        share=count / among if among else 0.0,
        low=low,
        high=high,
        budget=budget,
        standing=standing if among else "unknown",
    )


def detections(reasons: Iterable[str]) -> tuple[Detection, ...]:
    """The commonest reasons of risky sign-ins, whose codes come with spaces between. A reason that is no sign of a
    technique of its own says what every risky login may be a sign of."""
    return _commonest(reasons, BY_REASON, OF_RISKY_LOGIN)


def found_in_sessions(signals: Iterable[str]) -> tuple[Detection, ...]:
    """The same of the signals of risky sessions."""
    return _commonest(signals, BY_SIGNAL, OF_RISKY_SESSION)


def _commonest(found: Iterable[str], own: Mapping[str, str], usual: str) -> tuple[Detection, ...]:
    counts = Counter(code for each in found for code in each.split())
    return tuple(
        Detection(
            code=code,
            words=words_of(code),
            count=count,
            technique=TECHNIQUES[own.get(code, usual)],
            is_own=code in own,
        )
        for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_DETECTIONS]
    )


def rate(by_minute: Mapping[int, int], now: float, *, width: float, height: float) -> Rate:
    """The hour before `now`; keys are minutes since 1970. The minute that runs is drawn, and is not the last one."""
    running = int(now // MINUTE_SECONDS)
    minutes = tuple(by_minute.get(at, 0) for at in range(running - MINUTES + 1, running + 1))
    return Rate(
        minutes=minutes, last=minutes[-2], most=max(minutes), bars=bars(minutes, width=width, height=height, gap=0.6)
    )


def p95(buckets: Mapping[float, float], before: Mapping[float, float]) -> Timed:
    """Of cumulative buckets (upper bound in seconds → how many were no slower) what came since `before`."""
    since = {bound: count - before.get(bound, 0.0) for bound, count in buckets.items()}
    count = int(since.get(math.inf, 0.0))
    enough = [bound for bound, below in since.items() if below >= 0.95 * count]
    found = min(enough, default=math.inf)
    return Timed(count=count, at_most_ms=1e3 * found if count and math.isfinite(found) else None)


def median(values: Sequence[float]) -> float | None:
    """The middle one, or the mean of the two in the middle; None of none."""
    if not values:
        return None
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2.0
