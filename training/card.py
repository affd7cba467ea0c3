"""Measures what a model card says, on the held-out logins that the marks were set on, and says what nobody measured."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from risk_scorer.contract.assessment import HIGH_FROM, MEDIUM_FROM
from risk_scorer.core.calibration import ScoreMap
from risk_scorer.core.card import FORMAT, OTHERS, FalsePositives, Lineage, ModelCard, Rate
from risk_scorer.core.label_report import LabelReport
from risk_scorer.core.manifest import Span
from risk_scorer.core.signals import PLACE
from training.attackers import KINDS
from training.calibrate import Mark, upper_bound
from training.judging import Parts, weighed, weighed_signals
from training.sweep import Block

CONFIDENCE = 0.95
LEAST_IN_GROUP = 50
MOST_GROUPS = 60
DAY_SECONDS = 86_400.0
SHORT_DAYS = 90.0
PAST = "past"
"""The group by whether somebody has a history; the others are attributes of `sweep.GROUPED`."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Measures:
    """What the held-out logins say of a model."""

    false_positives: tuple[FalsePositives, ...]
    strangers: Mapping[str, Rate]
    groups: Mapping[str, Mapping[str, Rate]]


def rate(count: int, of: int) -> Rate:
    """A share with its exact limits; of nothing, nothing is known."""
    if of == 0:
        return Rate(count=0, of=0, value=0.0, low=0.0, high=1.0)
    tail = (1.0 - CONFIDENCE) / 2.0
    low = 0.0 if count == 0 else float(stats.beta.ppf(tail, count, of - count + 1))
    high = 1.0 if count == of else float(stats.beta.ppf(1.0 - tail, count + 1, of - count))
    return Rate(count=count, of=of, value=count / of, low=low, high=high)


def measured(parts: Parts, held_out: Sequence[Block], score_map: ScoreMap, marks: Mapping[str, Mark]) -> Measures:
    """False positives at both marks, in all and by group, and the simulated strangers that reach 60."""
    scores = np.concatenate([weighed(parts, block, score_map).score[block.succeeded] for block in held_out])
    prompted = scores >= MEDIUM_FROM
    return Measures(
        false_positives=tuple(
            false_positives(name, scores >= score, marks[name])
            for name, score in (("step_up", MEDIUM_FROM), ("deny", HIGH_FROM))
        ),
        strangers=_strangers(parts, held_out, score_map),
        groups={
            PAST: by_group(_past(held_out), prompted, least=1),
            **{name: by_group(values, prompted) for name, values in _grouped(held_out).items()},
        },
    )


def false_positives(name: str, reached: Flags, mark: Mark) -> FalsePositives:
    """What these logins, each of which reaches the mark or not, say of it."""
    count, of = int(reached.sum()), len(reached)
    return FalsePositives(
        mark=name,
        budget=mark.budget,
        rate=rate(count, of),
        upper=upper_bound(count, of),
        is_extrapolated=mark.is_extrapolated,
    )


def _strangers(parts: Parts, held_out: Sequence[Block], score_map: ScoreMap) -> dict[str, Rate]:
    reached = np.concatenate(
        [weighed_signals(parts, block, block.strangers, score_map).score >= MEDIUM_FROM for block in held_out]
    )
    kinds = np.concatenate([block.stranger_kinds for block in held_out])
    found = {name: reached[kinds == kind] for kind, name in enumerate(KINDS) if (kinds == kind).any()}
    return {name: rate(int(some.sum()), len(some)) for name, some in {"all": reached, **found}.items() if len(some)}


def _past(held_out: Sequence[Block]) -> NDArray[np.object_]:
    logins = np.concatenate([block.signals[block.succeeded, PLACE["logins"]] for block in held_out])
    return np.where(logins > 0, "with a history", "new").astype(object)


def _grouped(held_out: Sequence[Block]) -> dict[str, NDArray[np.object_]]:
    """The values of the attributes that every held-out block has."""
    names = [name for name in held_out[0].groups if all(name in block.groups for block in held_out)]
    return {name: np.concatenate([block.groups[name][block.succeeded] for block in held_out]) for name in names}


def by_group(values: NDArray[np.object_], prompted: Flags, *, least: int = LEAST_IN_GROUP) -> dict[str, Rate]:
    """The largest groups by name; small ones, and those without a value, together."""
    names, place, counts = np.unique(values.astype(str), return_inverse=True, return_counts=True)
    hits = np.bincount(place, weights=prompted, minlength=len(names)).astype(int)
    told: dict[str, Rate] = {}
    rest = np.zeros(2, int)
    for number in np.argsort(-counts, kind="stable").tolist():
        count, of = int(hits[number]), int(counts[number])
        if of >= least and len(told) < MOST_GROUPS and names[number]:
            told[str(names[number])] = rate(count, of)
        else:
            rest += (count, of)
    return {**told, **({OTHERS: rate(int(rest[0]), int(rest[1]))} if rest[1] else {})}


def card_of(
    measures: Measures,
    lineage: Lineage,
    *,
    span: Span,
    held_out: Span,
    rows: Mapping[str, int],
    labels: LabelReport | None,
    compromises: Rate | None,
    absent: Mapping[str, str],
) -> ModelCard:
    """The whole card."""
    return ModelCard(
        format=FORMAT,
        span=span,
        held_out=held_out,
        rows=dict(rows),
        labels={} if labels is None else {source: sum(counts.values()) for source, counts in labels.standing.items()},
        false_positives=measures.false_positives,
        strangers=dict(measures.strangers),
        compromises=compromises,
        groups={name: dict(groups) for name, groups in measures.groups.items()},
        not_tested=tuple(
            not_tested(measures, span=span, held_out=held_out, labels=labels, compromises=compromises, absent=absent)
        ),
        lineage=lineage,
        label_report=labels,
    )


def not_tested(
    measures: Measures,
    *,
    span: Span,
    held_out: Span,
    labels: LabelReport | None,
    compromises: Rate | None,
    absent: Mapping[str, str],
    has_learned_them: bool = True,
) -> list[str]:
    """What a reader of the numbers must not take for shown; `has_learned_them` of the confirmed compromises."""
    days, judged_days = (math.ceil((each.last - each.first) / DAY_SECONDS) for each in (span, held_out))
    found = []
    if compromises is None:
        found.append("Attacks that happened: none was held out. Recall is of strangers drawn from the log itself.")
    elif has_learned_them:
        found.append(
            "Confirmed compromises by this very model, which has learned from them: they are counted with what was"
            " fitted before labels taught it."
        )
    if labels is not None and labels.delay.too_young:
        found.append(
            f"The youngest {labels.delay.too_young:.0%} of the log: nobody could know yet which of these logins were"
            " compromised."
        )
    if labels is None:
        found.append("Labels: the training had none, so attacks in the log count as people's own logins.")
    found.append("The marks were set on the same held-out logins that their false positives are counted on.")
    if days < SHORT_DAYS:
        found.append(f"Other seasons: the log spans {days} days, of which the last {judged_days} were held out.")
    found += [f"{what}: {absent[name]}." for name, what in _ABSENCES.items() if name in absent]
    found += [
        f"The {each.mark} mark: {each.rate.of} held-out logins are too few to count {each.budget:.2%} of them."
        for each in measures.false_positives
        if each.is_extrapolated
    ]
    found += [f"False positives by {name}: the log has no such groups." for name in _missing_groups(measures)]
    found.append("False positives by application: a training log does not name the application.")
    return found


_ABSENCES = {
    "ja4": "TLS fingerprints (JA4)",
    "device_id": "Device ids",
    "country": "Countries",
    "asn": "Networks",
    "user_agent": "Browsers",
    "ip_facts": "What is known of addresses",
    "hour": "Hours of the day",
    "success": "Failed logins",
}


def _missing_groups(measures: Measures) -> list[str]:
    return [name for name in ("country", "device_type", "browser") if set(measures.groups.get(name, {})) <= {OTHERS}]
