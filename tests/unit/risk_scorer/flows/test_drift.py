"""Counts wait by model and day, and never without bound."""

from dataclasses import replace

import numpy as np

from plumbing.clock import FixedClock
from risk_scorer.core.model import Model
from risk_scorer.core.scoring import NOBODY, score_many
from risk_scorer.flows.drift import MOST_WAITING, LiveCounts
from tests.unit.risk_scorer.core.small import model
from tests.unit.risk_scorer.core.watched import REFERENCE

NOW = 1_760_000_000.0
DAY = int(NOW // 86_400)


def watched(version: str) -> Model:
    return replace(model(), version=version, reference=REFERENCE)


def take(counts: LiveCounts, by: Model, logins: int = 1) -> None:
    seen = [NOBODY] * logins
    counts.take(by, seen, score_many(by, seen, [None] * logins))


def test_each_model_and_day_has_counts_of_its_own() -> None:
    """Whoever scored at midnight, or while models were exchanged."""
    clock = FixedClock(NOW)
    counts = LiveCounts(clock=clock)
    take(counts, watched("m1"), 2)
    take(counts, watched("m2"))
    clock.advance(86_400.0)
    take(counts, watched("m1"), 3)
    found = {at: int(vector[0]) for at, vector in counts.drain().items()}
    assert found == {("m1", DAY): 2, ("m2", DAY): 1, ("m1", DAY + 1): 3}
    assert counts.drain() == {}


def test_what_is_given_back_is_told_again_with_what_came_since() -> None:
    """Nothing twice."""
    counts = LiveCounts(clock=FixedClock(NOW))
    take(counts, watched("m1"), 2)
    waiting = counts.drain()
    take(counts, watched("m1"))
    counts.give_back(waiting)
    assert int(counts.drain()["m1", DAY][0]) == 3


def test_what_waits_for_the_database_is_bounded() -> None:
    """Statistics are not worth the memory of a hundred models."""
    counts = LiveCounts(clock=FixedClock(NOW))
    counts.give_back({(f"m{n}", DAY): np.ones(3, np.int64) for n in range(MOST_WAITING + 5)})
    assert len(counts.drain()) == MOST_WAITING


def test_a_model_without_a_reference_counts_nothing() -> None:
    """And is no reason to fail."""
    counts = LiveCounts(clock=FixedClock(NOW))
    take(counts, replace(watched("m1"), reference=None))
    assert counts.drain() == {}
