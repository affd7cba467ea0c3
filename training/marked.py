"""Parts with their marks, and which of them are taken where labels teach: what a fit says of held-out logins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from risk_scorer.contract.assessment import MEDIUM_FROM
from risk_scorer.core.calibration import ScoreMap
from risk_scorer.core.card import Rate
from training import calibrate, card, pair_fit
from training.attackers import KINDS
from training.calibrate import Mark
from training.judging import Parts, evidence, weighed_signals
from training.labelling.report import Taught
from training.labelling.teaching import as_heavy_as_may_be
from training.sweep import Block, Sweep


@dataclass(frozen=True)
class Budgets:
    """The share of legitimate logins that may be asked for more, and that may be denied."""

    step_up: float = 0.02
    deny: float = 0.001


@dataclass(frozen=True, slots=True)
class Marked:
    """Parts, the levels that they leave out after all, their marks, and the share of each kind of stranger at 60."""

    parts: Parts
    silent: dict[str, str]
    step_up: Mark
    deny: Mark
    score_map: ScoreMap
    simulated: dict[str, float]


@dataclass(frozen=True, slots=True)
class Borne:
    """The fit that is taken, the share of the labels' weight in it, and the held-out compromises that one without any
    label catches (None where there are none): the one that is taken has seen them."""

    fit: Marked
    share: float
    compromises: Rate | None


def marked_by(parts: Parts, silent: dict[str, str], held_out: Sequence[Block], budgets: Budgets) -> Marked:
    """The marks that keep held-out logins of the people themselves within the budgets."""
    nats = np.concatenate([evidence(parts, block)[block.succeeded] for block in held_out])
    step_up, deny = calibrate.mark(nats, budgets.step_up), calibrate.mark(nats, budgets.deny)
    score_map = calibrate.score_map(nats, step_up, deny)
    return Marked(parts, silent, step_up, deny, score_map, _simulated(parts, held_out, score_map))


def with_bearable_labels(with_labels: Callable[[float], Marked], swept: Sweep) -> Borne:
    """Fitted once where no label teaches; else with as much of their weight as costs little enough."""
    if not any(taught(swept)):
        return Borne(with_labels(1.0), 1.0, None)
    kinds = np.concatenate([block.stranger_kinds for block in swept.held_out])
    strangers = {name: int((kinds == kind).sum()) for kind, name in enumerate(KINDS)}
    taken, share, without = as_heavy_as_may_be(with_labels, lambda marked: marked.simulated, strangers)
    return Borne(taken, share, _caught(without, swept.held_out))


def lighter(blocks: Sequence[Block], share: float) -> tuple[Block, ...]:
    """The blocks with labels of this share of their weight; none of them where that is nothing."""
    return tuple(replace(block, judged=block.judged.lighter(share)) for block in blocks)


def taught(swept: Sweep) -> Taught:
    """How many labelled logins can teach: compromises wherever they are, safe ones where they are fitted."""
    compromised = pair_fit.taught_by((*swept.fitting, *swept.held_out))[True]
    return Taught(compromised=compromised, safe=pair_fit.taught_by(swept.fitting)[False])


def _simulated(parts: Parts, held_out: Sequence[Block], score_map: ScoreMap) -> dict[str, float]:
    """The share of the held-out strangers that reach the mark of 60, by kind."""
    reached = np.concatenate(
        [weighed_signals(parts, block, block.strangers, score_map).score >= MEDIUM_FROM for block in held_out]
    )
    kinds = np.concatenate([block.stranger_kinds for block in held_out])
    return {name: float(reached[kinds == kind].mean()) for kind, name in enumerate(KINDS) if (kinds == kind).any()}


def _caught(marked: Marked, held_out: Sequence[Block]) -> Rate | None:
    reached = [np.empty(0, bool)]
    for block in held_out:
        told = block.judged.signals[block.judged.is_compromised]
        if len(told):
            reached.append(weighed_signals(marked.parts, block, told, marked.score_map).score >= MEDIUM_FROM)
    caught = np.concatenate(reached)
    return card.rate(int(caught.sum()), len(caught)) if len(caught) else None
