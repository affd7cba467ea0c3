"""The card of a model whose marks were moved: what was measured on the logins they were moved on, and the parent."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk_scorer.contract.assessment import MEDIUM_FROM
from risk_scorer.core.card import CARD, ModelCard, Rate, decode, encode
from risk_scorer.core.manifest import Span
from risk_scorer.core.model import Model
from training.calibrating.held_out import SIMULATED, HeldOut
from training.calibrating.marks import Found, evidence_at
from training.card import PAST, Measures, by_group, false_positives, not_tested, rate
from training.evaluation.rates import MARKS
from training.refusals import WrongInputError

CONFIRMED = "confirmed compromise"
"""The family of logins that people found out about."""
_BY_APPLICATION = "False positives by application"
Groups = Mapping[str, NDArray[np.object_]]


@dataclass(frozen=True, slots=True)
class Moved:
    """The marks that were `new` found on `held` logins of a `span`; `by` are further groups of those logins by the name
    of their column, `command` is what was asked for, without paths."""

    held: HeldOut
    new: Found
    span: Span
    by: Groups
    command: tuple[str, ...]


def card_of(files: Mapping[str, bytes], model: Model, moved: Moved) -> dict[str, bytes]:
    """The new card, where the model has one. Raises WrongInputError("bad_card")."""
    if CARD not in files:
        return {}
    try:
        old = decode(files[CARD])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as cause:
        raise WrongInputError("bad_card", "the model's card cannot be read") from cause
    return {CARD: encode(_card(old, model, moved))}


def _card(old: ModelCard, model: Model, moved: Moved) -> ModelCard:
    held, measures = moved.held, _measures(moved)
    confirmed = held.attacks.get(CONFIRMED)
    at = evidence_at(moved.new.score_map, MEDIUM_FROM)
    compromises = None if confirmed is None else rate(int((confirmed >= at).sum()), len(confirmed))
    told = not_tested(
        measures,
        span=old.span,
        held_out=moved.span,
        labels=old.label_report,
        compromises=compromises,
        has_learned_them=False,
        absent=model.absent,
    )
    return msgspec.structs.replace(
        old,
        held_out=moved.span,
        rows={**old.rows, "held_out": len(held.rows)},
        false_positives=measures.false_positives,
        strangers=dict(measures.strangers),
        compromises=compromises,
        groups={name: dict(groups) for name, groups in measures.groups.items()},
        not_tested=tuple(line for line in told if not (moved.by and line.startswith(_BY_APPLICATION))),
        lineage=msgspec.structs.replace(old.lineage, parent=model.version, command=moved.command),
    )


def _measures(moved: Moved) -> Measures:
    held, new = moved.held, moved.new
    reached = {name: held.evidence >= evidence_at(new.score_map, score) for name, score in MARKS.items()}
    marks = new.marks()
    past = np.where(held.has_past, "with a history", "new").astype(object)
    groups = {PAST: past, **held.groups, **moved.by}
    return Measures(
        false_positives=tuple(false_positives(name, each, marks[name]) for name, each in reached.items()),
        strangers=_strangers(held, new),
        groups={name: by_group(values, reached["step_up"]) for name, values in groups.items()},
    )


def _strangers(held: HeldOut, new: Found) -> dict[str, Rate]:
    at = evidence_at(new.score_map, MEDIUM_FROM)
    kinds = {
        name.removeprefix(SIMULATED): nats >= at for name, nats in held.attacks.items() if name.startswith(SIMULATED)
    }
    every = {"all": np.concatenate(list(kinds.values()))} if kinds else {}
    return {name: rate(int(reached.sum()), len(reached)) for name, reached in {**every, **kinds}.items()}
