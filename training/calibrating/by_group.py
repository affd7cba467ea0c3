"""Marks of a client or a group of its own: where its people's logins lie on the scale that everybody shares.

The score stays one number with one meaning. What differs is from which score on the gateway asks, and it reads these
marks from its policy document (`[[marks]]`), nowhere else.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk_scorer.contract.assessment import HIGH_FROM, MEDIUM_FROM
from risk_scorer.core.calibration import ScoreMap
from training import calibrate
from training.calibrate import Mark
from training.calibrating.marks import evidence_at
from training.marked import Budgets

Vector = NDArray[np.float64]

LOWEST_STEP_UP, HIGHEST_STEP_UP = 30.0, 75.0
LOWEST_DENY, HIGHEST_DENY = 60.0, HIGH_FROM
"""What the gateway's policy takes: nobody is denied below 60, or let past 80. Source: auth_gateway.core.marks."""


@dataclass(frozen=True, slots=True)
class GroupMarks:
    """The marks of one group on the shared scale, in hundredths; `prompted` of its `logins` reach `step_up`, and would
    reach 60. None where its logins are too few to count its budget: then the shared mark stays. `is_limited` says that
    policy does not take a mark as far as the budget would."""

    group: str
    logins: int
    step_up: float | None
    deny: float | None
    prompted: int
    prompted_at_shared: int
    bound: float
    is_limited: bool


def group_marks(
    evidence: Vector,
    groups: NDArray[np.object_],
    score_map: ScoreMap,
    budgets: Mapping[str, Budgets],
    *,
    usual: Budgets,
) -> list[GroupMarks]:
    """The marks of every group that has a name, by name. `budgets` are those of groups with one of their own."""
    return [
        _of_group(name, evidence[groups == name], score_map, budgets.get(name, usual))
        for name in sorted(set(groups.tolist()) - {""})
    ]


def _of_group(name: str, evidence: Vector, score_map: ScoreMap, budget: Budgets) -> GroupMarks:
    wished = _score_of(calibrate.mark(evidence, budget.step_up), score_map)
    step_up = _within(wished, LOWEST_STEP_UP, HIGHEST_STEP_UP)
    wished_deny = _score_of(calibrate.mark(evidence, budget.deny), score_map)
    deny = _within(wished_deny, LOWEST_DENY, HIGHEST_DENY)
    is_limited = (wished, wished_deny) != (step_up, deny)
    if step_up is not None and deny is not None:
        deny = max(deny, step_up)
    at = MEDIUM_FROM if step_up is None else step_up
    prompted = int((evidence >= evidence_at(score_map, at)).sum())
    return GroupMarks(
        group=name,
        logins=len(evidence),
        step_up=step_up,
        deny=deny,
        prompted=prompted,
        prompted_at_shared=int((evidence >= evidence_at(score_map, MEDIUM_FROM)).sum()),
        bound=calibrate.upper_bound(prompted, len(evidence)),
        is_limited=is_limited,
    )


def _score_of(mark: Mark, score_map: ScoreMap) -> float | None:
    """The mark on the scale, rounded up to a hundredth as scores are rounded down; None for one that is a guess."""
    if mark.is_extrapolated:
        return None
    return math.ceil(float(np.interp(mark.evidence, score_map.evidence, score_map.score)) * 100.0) / 100.0


def _within(score: float | None, lowest: float, highest: float) -> float | None:
    return None if score is None else min(max(score, lowest), highest)


def document(found: Sequence[GroupMarks], *, asks: str, model_version: str) -> str:
    """The `[[marks]]` tables for a policy document; `asks` is the word of the document that names who they are for."""
    parts = []
    for marks in found:
        if marks.step_up is None and marks.deny is None:
            continue
        lines = [f"# {marks.prompted} of {marks.logins} held-out logins prompted, upper bound {marks.bound:.2%}"]
        lines += ["[[marks]]", f"{asks} = {_toml_text(marks.group)}"]
        lines += [] if marks.step_up is None else [f"step_up = {marks.step_up:g}"]
        lines += [] if marks.deny is None else [f"deny = {marks.deny:g}"]
        lines.append(f"model = {_toml_text(model_version)}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _toml_text(text: str) -> str:
    """A basic string of TOML. Source: TOML 1.0, "String"."""
    kept = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in kept) + '"'
