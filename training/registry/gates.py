"""What a candidate has to pass before it decides for anybody. Each gate says what it found, passed or not, in numbers.

Whether its files are signed and sound is no gate: that cannot be overridden.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from risk_scorer.core.card import ModelCard, Rate
from risk_scorer.core.features import FEATURES
from risk_scorer.core.model import Model
from risk_scorer.core.registry import Finding
from training.card import rate
from training.comparing.comparison import Comparison, Interval, MarkName

GATES = ("budget_step_up", "budget_deny", "recall", "dead_feature", "data_age")
DAY_SECONDS = 86_400.0
MAX_DATA_AGE_DAYS = 90.0
ALL = "all"

_MARKS: tuple[MarkName, ...] = ("step_up", "deny")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A version that would be promoted, what it would take the place of, and how both did on a log, if one was given.

    `active` is the card of the version in use, None where there is no version or no card.
    """

    model: Model
    card: ModelCard
    active: ModelCard | None
    comparison: Comparison | None = None


def findings(candidate: Candidate, *, now: float, max_data_age_days: float) -> tuple[Finding, ...]:
    """What each gate of `GATES` found, in that order. `now` is epoch seconds."""
    return (
        *(_budget(candidate, mark) for mark in _MARKS),
        _recall(candidate),
        _living(candidate.model),
        age(candidate.card, now, max_data_age_days, "login"),
    )


def _budget(candidate: Candidate, mark: MarkName) -> Finding:
    """The held-out logins must prove the budget; those of a fresh log must not prove that it is exceeded."""
    held_out, told = budget(candidate.card, mark, "logins"), candidate.card.at(mark)
    if candidate.comparison is None or told is None:
        return held_out
    fresh = candidate.comparison.at(mark)
    seen = rate(fresh.candidate, fresh.logins)
    passed = held_out.passed and seen.low <= told.budget
    return Finding(gate=held_out.gate, passed=passed, text=f"{held_out.text}; {_words(seen)} on the compared log")


def budget(card: ModelCard, mark: str, counted: str) -> Finding:
    """Whether what was held out proves the budget of a mark; `counted` says what it was."""
    gate, told = f"budget_{mark}", card.at(mark)
    if told is None:
        return Finding(gate=gate, passed=False, text="the card says nothing of it")
    text = f"upper bound {told.upper:.3%} of {told.rate.of} held-out {counted}, budget {told.budget:.3%}"
    passed = told.upper <= told.budget
    if not passed and told.is_extrapolated:
        text += f": too few {counted} to count it, {math.ceil(3.0 / told.budget)} would do"
    return Finding(gate=gate, passed=passed, text=text)


def _recall(candidate: Candidate) -> Finding:
    """Not passed when the difference's 95 % interval lies wholly below zero."""
    if candidate.comparison is not None:
        difference, source = candidate.comparison.recall_difference, "on the compared log"
    else:
        found = _by_cards(candidate)
        if found is None:
            return Finding(gate="recall", passed=True, text="no active model to hold it against")
        difference, source = found, "of simulated strangers, each on its own held-out logins"
    text = f"{difference.value:+.1%} ({difference.low:+.1%} to {difference.high:+.1%}) {source}"
    return Finding(gate="recall", passed=difference.high >= 0.0, text=text)


def _by_cards(candidate: Candidate) -> Interval | None:
    if candidate.active is None:
        return None
    mine, theirs = candidate.card.strangers.get(ALL), candidate.active.strangers.get(ALL)
    return None if mine is None or theirs is None else unpaired(mine, theirs)


def unpaired(candidate: Rate, active: Rate) -> Interval:
    """The difference of two shares that were counted apart. Source: Newcombe 1998, method 10, with exact limits."""
    value = candidate.value - active.value
    below = math.hypot(candidate.value - candidate.low, active.high - active.value)
    above = math.hypot(candidate.high - candidate.value, active.value - active.low)
    return Interval(value=value, low=max(-1.0, value - below), high=min(1.0, value + above))


def _living(model: Model) -> Finding:
    dead = list(_dead(model))
    text = f"{', '.join(dead)} can move no score" if dead else f"all {len(model.features)} can move a score"
    return Finding(gate="dead_feature", passed=not dead, text=text)


def _dead(model: Model) -> Iterator[str]:
    """Declared features that no tree asks for, or all of them where the trees' answer weighs nothing."""
    forest = model.forest
    asked = set(forest.feature[forest.child != np.arange(len(forest.child))].tolist())
    for name in model.features:
        if model.surprise.weight <= 0.0 or FEATURES.index(name) not in asked:
            yield name


def age(card: ModelCard, now: float, max_days: float, last: str) -> Finding:
    """Whether the log that it was made from is young enough; `last` says what its last row is."""
    days = (now - card.span.last) / DAY_SECONDS
    text = f"the last {last} is {days:.1f} days old, at most {max_days:g} may be"
    return Finding(gate="data_age", passed=days <= max_days, text=text)


def _words(found: Rate) -> str:
    return f"{found.value:.3%} ({found.low:.3%} to {found.high:.3%})"
