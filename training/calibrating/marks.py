"""The two marks that keep a budget on held-out logins, and what they catch: counts, bounds and curves. No files."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk_scorer.contract.assessment import HIGH_FROM, MEDIUM_FROM
from risk_scorer.core.calibration import ScoreMap
from training import calibrate, checks
from training.calibrate import Mark, upper_bound
from training.calibrating.held_out import HeldOut
from training.evaluation.curves import precision_recall_drawn, roc_drawn
from training.evaluation.rates import MARKS, share
from training.marked import Budgets
from training.refusals import TrainingRefusedError, WrongInputError

Vector = NDArray[np.float64]

MOST_PROMPTED = 0.5
LADDER = (0.005, 0.01, 0.02, 0.05, 0.1)
"""Budgets beside the asked one, so that its price can be seen."""


@dataclass(frozen=True, slots=True)
class Found:
    """The marks, the scale that has 60 and 80 at them, and what a person should know about them."""

    step_up: Mark
    deny: Mark
    score_map: ScoreMap
    notes: tuple[str, ...]

    def marks(self) -> dict[str, Mark]:
        """By the names that a manifest has for them."""
        return {"step_up": self.step_up, "deny": self.deny}


def require_budgets(budgets: Budgets) -> None:
    """Raises WrongInputError("bad_budget") unless 0 < deny < step-up <= one half."""
    if not 0.0 < budgets.deny < budgets.step_up <= MOST_PROMPTED:
        raise WrongInputError(
            "bad_budget", "budgets are shares: 0 < --deny-budget < --budget <= 0.5, such as 0.001 and 0.02"
        )


def found(held: HeldOut, budgets: Budgets) -> Found:
    """The lowest marks whose upper bounds of prompted and of denied legitimate logins keep the budgets.

    Raises TrainingRefusedError: `too_few_logins` where the step-up mark would be a guess, `quiet_login_flagged`.
    """
    logins = len(held.evidence)
    step_up = calibrate.mark(held.evidence, budgets.step_up) if logins else None
    if step_up is None or step_up.is_extrapolated:
        raise TrainingRefusedError(
            "too_few_logins",
            f"{logins} held-out legitimate logins cannot prove a budget of {budgets.step_up:.2%}: give a longer log",
        )
    deny = calibrate.mark(held.evidence, budgets.deny)
    score_map = calibrate.score_map(held.evidence, step_up, deny)
    calm = checks.require_quiet(_scores(held.evidence[held.is_usual], score_map))
    return Found(step_up, deny, score_map, (*calibrate.mark_notes(step_up, deny), *([calm] if calm else [])))


def evidence_at(score_map: ScoreMap, score: float) -> float:
    """The nats from which on a login reaches a score between the first knot and the last."""
    return float(np.interp(score, score_map.score, score_map.evidence))


def measured(evidence: Vector, score_map: ScoreMap, budgets: Mapping[str, float]) -> dict[str, Mark]:
    """What the marks of a scale do to these legitimate logins, whatever they were found on."""
    logins, told = len(evidence), {}
    for name, score in MARKS.items():
        at = evidence_at(score_map, score)
        prompted = int((evidence >= at).sum())
        bound = upper_bound(prompted, logins)
        told[name] = Mark(budgets[name], at, prompted, logins, bound, is_extrapolated=False)
    return told


def facts(held: HeldOut, score_map: ScoreMap) -> dict[str, Any]:
    """Both curves of each family, what each mark does and catches, and what other budgets would."""
    step_up, deny = evidence_at(score_map, MEDIUM_FROM), evidence_at(score_map, HIGH_FROM)
    return {
        "at_marks": {"step_up": _at(held, step_up), "deny": _at(held, deny)},
        "ladder": _ladder(held, LADDER),
        "curves": {
            name: {
                "roc": roc_drawn(held.evidence, attacks),
                "precision_recall": precision_recall_drawn(held.evidence, attacks),
            }
            for name, attacks in held.attacks.items()
        },
    }


def _at(held: HeldOut, at: float) -> dict[str, Any]:
    """False positives, and recall of each family, with two-sided 95 % limits."""
    return {
        "evidence": at,
        "false_positives": share(held.evidence >= at),
        "recall": {name: share(attacks >= at) for name, attacks in held.attacks.items()},
    }


def _ladder(held: HeldOut, budgets: Sequence[float]) -> list[dict[str, Any]]:
    """What each budget would catch; those that these logins are too few for are left out."""
    told = []
    for budget in budgets:
        mark = calibrate.mark(held.evidence, budget)
        if not mark.is_extrapolated:
            recall = {name: float((attacks >= mark.evidence).mean()) for name, attacks in held.attacks.items()}
            told.append({**asdict(mark), "recall": recall})
    return told


def _scores(evidence: Vector, score_map: ScoreMap) -> Vector:
    """Scores as the scorer would give them, between the knots; outside them what matters is the side."""
    scores: Vector = np.interp(evidence, score_map.evidence, score_map.score)
    return scores
