"""From the scores of two models for the same logins to what a comparison says of them. Knows no log and no database."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from risk_scorer.contract.assessment import MEDIUM_FROM, RiskLevel, risk_level
from training.calibrate import upper_bound
from training.comparing.comparison import (
    FORMAT,
    MARKS,
    MOST_EVENTS,
    Caught,
    Comparison,
    Differing,
    MarkName,
    Prompts,
    Source,
)
from training.comparing.paired import difference, mcnemar, times

Flags = NDArray[np.bool_]
Vector = NDArray[np.float64]
Texts = Sequence[str]

DAY_SECONDS: Final = 86_400.0
SHORTEST_DAYS: Final = 1.0 / 24.0
"""What is counted on less than an hour is told as if it had taken one."""
SEED: Final = 0
"""Of the bootstrap: the same scores give the same intervals."""
DECISIONS: Final[Mapping[RiskLevel, str]] = {"low": "allow", "medium": "step_up", "high": "deny"}


@dataclass(frozen=True, kw_only=True)
class Scores:
    """(n,) scores of the same logins by both models, 0 to 100."""

    active: Vector
    candidate: Vector

    def only(self, rows: Flags) -> Scores:
        """Those of these logins."""
        return Scores(active=self.active[rows], candidate=self.candidate[rows])


@dataclass(frozen=True, kw_only=True)
class Logins:
    """Judged logins, n of each. `event_id` is "" and `row` None for each where the source has none.

    `attacks` are flags by (source, kind); what is neither `legitimate` nor one of them counts for nothing.
    """

    moment: Vector
    user_id: Texts
    ip: Texts
    event_id: Texts
    row: Sequence[int | None]
    legitimate: Flags
    attacks: Mapping[tuple[Source, str], Flags]
    scores: Scores


@dataclass(frozen=True, kw_only=True)
class Strangers:
    """m simulated attacks: whom each was against, its kind, and its scores."""

    victims: Texts
    kinds: Texts
    scores: Scores


@dataclass(frozen=True, kw_only=True)
class Named:
    """What a comparison is of: the two versions, where the logins are from, and what to know of it."""

    active: str
    candidate: str
    source: str
    notes: tuple[str, ...] = ()


def compared_counts(named: Named, logins: Logins, strangers: Strangers | None = None) -> Comparison:
    """Everything that the scores say of the two models."""
    chance = np.random.default_rng(SEED)
    first, last = float(logins.moment.min()), float(logins.moment.max())
    days = max((last - first) / DAY_SECONDS, SHORTEST_DAYS)
    differing = _differing(logins)
    return Comparison(
        format=FORMAT,
        active=named.active,
        candidate=named.candidate,
        source=named.source,
        rows=len(logins.moment),
        people=len(set(logins.user_id)),
        first=first,
        last=last,
        days=days,
        prompts=tuple(_prompts(logins, mark, days, chance) for mark in MARKS),
        caught=tuple(_all_caught(logins, strangers, chance)),
        differing=len(differing),
        events=tuple(_event(logins, row) for row in differing[:MOST_EVENTS]),
        notes=named.notes,
    )


def _prompts(logins: Logins, mark: MarkName, days: float, chance: np.random.Generator) -> Prompts:
    rows = logins.legitimate
    people = _picked(logins.user_id, rows)
    active, candidate = logins.scores.active[rows] >= MARKS[mark], logins.scores.candidate[rows] >= MARKS[mark]
    on_days = _by_day(people, logins.moment[rows], active, candidate)
    a_day = difference(on_days.active, on_days.candidate, on_days.people, chance)
    among, prompted = len(active), int(candidate.sum())
    return Prompts(
        mark=mark,
        score=MARKS[mark],
        logins=among,
        active=int(active.sum()),
        candidate=prompted,
        only_active=int((active & ~candidate).sum()),
        only_candidate=int((candidate & ~active).sum()),
        active_a_day=float(on_days.active.sum()) / days,
        candidate_a_day=float(on_days.candidate.sum()) / days,
        a_day_difference=times(a_day, len(on_days.people) / days),
        share_difference=difference(active, candidate, people, chance),
        candidate_upper=upper_bound(prompted, among),
    )


@dataclass(frozen=True)
class _Days:
    people: Sequence[str]
    active: Flags
    candidate: Flags


def _by_day(people: Texts, moments: Vector, active: Flags, candidate: Flags) -> _Days:
    """A person's day each: whether the models prompt in it at all."""
    numbers: dict[tuple[str, int], int] = {}
    days = (moments // DAY_SECONDS).astype(np.int64).tolist()
    which = np.array([numbers.setdefault(key, len(numbers)) for key in zip(people, days, strict=True)], np.int64)
    return _Days(
        people=[person for person, _ in numbers],
        active=np.bincount(which[active], minlength=len(numbers)) > 0,
        candidate=np.bincount(which[candidate], minlength=len(numbers)) > 0,
    )


def _all_caught(logins: Logins, strangers: Strangers | None, chance: np.random.Generator) -> list[Caught]:
    """Each source as a whole, then its kinds where there is more than one."""
    found: list[Caught] = []
    sources: tuple[Source, ...] = ("confirmed", "labelled")
    for source in sources:
        kinds = {kind: rows for (of, kind), rows in logins.attacks.items() if of == source and rows.any()}
        if not kinds:
            continue
        kinds = {"": np.logical_or.reduce(list(kinds.values())), **(kinds if len(kinds) > 1 else {})}
        for kind, rows in kinds.items():
            people = _picked(logins.user_id, rows)
            found.append(_caught(source, kind, logins.scores.only(rows), people, chance))
    if strangers is not None and len(strangers.kinds):
        of_kind = np.array(strangers.kinds, dtype=object)
        for kind in ("", *dict.fromkeys(strangers.kinds)):
            rows = of_kind == kind if kind else np.ones(len(of_kind), bool)
            people = _picked(strangers.victims, rows)
            found.append(_caught("simulated", kind, strangers.scores.only(rows), people, chance))
    return found


def _caught(
    source: Source, kind: str, scores: Scores, people: Sequence[Hashable], chance: np.random.Generator
) -> Caught:
    active, candidate = scores.active >= MEDIUM_FROM, scores.candidate >= MEDIUM_FROM
    only_active, only_candidate = int((active & ~candidate).sum()), int((candidate & ~active).sum())
    return Caught(
        source=source,
        kind=kind,
        attacks=len(active),
        active=int(active.sum()),
        candidate=int(candidate.sum()),
        only_active=only_active,
        only_candidate=only_candidate,
        difference=difference(active, candidate, people, chance),
        p_value=mcnemar(only_active, only_candidate),
    )


def _differing(logins: Logins) -> list[int]:
    """Rows that the models decide differently: attacks first, then by how far apart the scores are."""
    marks = np.array(list(MARKS.values()))
    active = np.searchsorted(marks, logins.scores.active, side="right")
    candidate = np.searchsorted(marks, logins.scores.candidate, side="right")
    rows = np.flatnonzero(active != candidate)
    apart = np.abs(logins.scores.active - logins.scores.candidate)[rows]
    is_attack = np.zeros(len(logins.moment), bool)
    for flags in logins.attacks.values():
        is_attack |= flags
    order: list[int] = rows[np.lexsort((rows, -apart, ~is_attack[rows]))].tolist()
    return order


def _event(logins: Logins, row: int) -> Differing:
    active, candidate = float(logins.scores.active[row]), float(logins.scores.candidate[row])
    kinds = [kind or source for (source, kind), rows in logins.attacks.items() if rows[row]]
    legitimate = bool(logins.legitimate[row])
    return Differing(
        event_id=logins.event_id[row],
        row=logins.row[row],
        moment=float(logins.moment[row]),
        user_id=logins.user_id[row],
        ip=logins.ip[row],
        active_score=active,
        candidate_score=candidate,
        active=DECISIONS[risk_level(active)],
        candidate=DECISIONS[risk_level(candidate)],
        is_attack=True if kinds else False if legitimate else None,
        kind=", ".join(dict.fromkeys(kinds)),
    )


def _picked(values: Sequence[Any], rows: Flags) -> list[Any]:
    return [values[place] for place in np.flatnonzero(rows).tolist()]
