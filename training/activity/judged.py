"""What a replayed log says of the engine: sessions prompted among the harmless, attacks caught by kind, how soon."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.card import FalsePositives, Rate
from training.activity.reading import Label
from training.activity.replay import Outcome
from training.calibrate import Mark, upper_bound
from training.card import rate

ALL, ORDINARY = "all", "ordinary"
Outcomes = Mapping[str, Outcome]
Labels = Mapping[str, Label]


def benign(outcomes: Outcomes, labels: Labels) -> list[tuple[str, Outcome]]:
    """The sessions in which nobody does harm, with what they look like."""
    found = [(labels.get(name), each) for name, each in outcomes.items()]
    return [(label.kind if label else ORDINARY, each) for label, each in found if label is None or not label.is_attack]


def attacks(outcomes: Outcomes, labels: Labels) -> list[tuple[str, Outcome]]:
    """The sessions in which somebody has done harm, with their kind."""
    return [
        (labels[name].kind, each)
        for name, each in outcomes.items()
        if name in labels and labels[name].is_attack and each.hostile
    ]


def highest(sessions: Iterable[tuple[str, Outcome]]) -> NDArray[np.float64]:
    """(n,) the most evidence that was ever held against each session."""
    return np.array([each.highest for _, each in sessions], dtype=np.float64)


def by_kind(sessions: Iterable[tuple[str, Outcome]], reached: Callable[[Outcome], bool]) -> dict[str, Rate]:
    """For each kind and for all together, how many reach it."""
    counts: dict[str, list[int]] = {ALL: [0, 0]}
    for kind, each in sessions:
        for name in (ALL, kind):
            count = counts.setdefault(name, [0, 0])
            count[0] += reached(each)
            count[1] += 1
    return {name: rate(hits, of) for name, (hits, of) in sorted(counts.items())}


def false_positives(sessions: list[tuple[str, Outcome]], marks: Mapping[str, Mark]) -> tuple[FalsePositives, ...]:
    """What harmless sessions say of each mark."""
    evidence, found = highest(sessions), []
    for name, mark in marks.items():
        count, of = int((evidence >= mark.evidence).sum()), len(evidence)
        found.append(
            FalsePositives(
                mark=name,
                budget=mark.budget,
                rate=rate(count, of),
                upper=upper_bound(count, of),
                is_extrapolated=mark.is_extrapolated,
            )
        )
    return tuple(found)


def until_mark(sessions: Iterable[tuple[str, Outcome]]) -> dict[str, dict[str, float]]:
    """For each kind of attack that was caught, hostile events and seconds until then: median, 95th percentile, most."""
    caught: dict[str, list[tuple[int, float]]] = {}
    for kind, each in sessions:
        if each.until_mark is not None and each.marked_at is not None:
            waited = max(0.0, each.marked_at - each.first_hostile_at) if each.until_mark else 0.0
            for name in (ALL, kind):
                caught.setdefault(name, []).append((each.until_mark, waited))
    told = {}
    for kind, found in sorted(caught.items()):
        events, seconds = np.array([each[0] for each in found]), np.array([each[1] for each in found])
        told[kind] = {
            "events_median": float(np.median(events)),
            "events_p95": float(np.quantile(events, 0.95)),
            "seconds_median": round(float(np.median(seconds)), 1),
            "seconds_p95": round(float(np.quantile(seconds, 0.95)), 1),
            "seconds_most": round(float(seconds.max()), 1),
        }
    return told


def rate_facts(found: Mapping[str, Rate]) -> dict[str, dict[str, Any]]:
    """Rates as plain numbers."""
    return {
        name: {"count": each.count, "of": each.of, "share": each.value, "low": each.low, "high": each.high}
        for name, each in found.items()
    }
