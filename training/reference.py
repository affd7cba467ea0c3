"""What the held-out logins of a training looked like, to hold live ones against: where the bins lie, and their counts.

Only successes count, as live. They were measured against the frequencies of the log's earlier part, as live logins are
measured against those of the whole log.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from risk_scorer.contract.assessment import HIGH_FROM, MEDIUM_FROM
from risk_scorer.core import features
from risk_scorer.core.calibration import ScoreMap
from risk_scorer.core.encoders import COUNTED
from risk_scorer.core.features import COLUMN_OF_ATTRIBUTE, NOVEL, RARE
from risk_scorer.core.manifest import Span
from risk_scorer.core.reference import FORMAT, SCORE, Counts, Reference, Spread, named
from risk_scorer.core.shares import shares
from risk_scorer.core.signals import PLACE
from risk_scorer.core.tally import Tally
from training.judging import Parts, weighed
from training.sweep import Block

Matrix = NDArray[np.float64]

WINDOWS = (0.0, 0.03, 0.075, *(0.15 + step / 10 for step in range(8)), 0.925, 0.97, 1.0)
"""Ranks between which there is an edge: about the tenths, and the tails, where decisions are made."""
ALONE = 0.5
"""Beside a number that never varies."""
LEAST_GAP = dict.fromkeys([*(f"{name}_rarity" for name in RARE), *(f"{name}_novelty" for name in NOVEL)], 0.2)
"""Nats between values on either side of an edge: a rarity is one number for everybody with the same value, a novelty
for all logins of somebody with theirs; an edge close to it would let all of them change the bin with one login more."""


def measured(
    parts: Parts, held_out: Sequence[Block], score_map: ScoreMap, kept: Sequence[str], absent: Mapping[str, str]
) -> Reference:
    """The reference of these blocks for the features that were `kept`; what is `absent` cannot be unknown."""
    found = [_numbers(parts, block, score_map) for block in held_out]
    seen, signals, total, score = (np.concatenate([each[place] for each in found]) for place in range(4))
    columns = dict(zip(kept, seen[:, features.places(kept)].T, strict=True)) | {SCORE: total}
    marks = np.interp((MEDIUM_FROM, HIGH_FROM), score_map.score, score_map.evidence).tolist()
    edges = {name: edges_of(values, LEAST_GAP.get(name, 0.0)) for name, values in columns.items()}
    edges[SCORE] = tuple(sorted({*edges[SCORE], *marks}))
    when = signals[:, PLACE["ts"]]
    empty = Reference(
        format=FORMAT,
        span=Span(first=float(when.min()), last=float(when.max())),
        logins=0,
        prompted=0,
        denied=0,
        unknown={name: 0 for name in COUNTED if COLUMN_OF_ATTRIBUTE[name] not in absent},
        spreads={name: Spread(edges=each, counts=(0,) * (len(each) + 2)) for name, each in edges.items()},
    )
    tally = Tally(empty)
    tally.take((seen, signals, total, score), np.ones(len(total), np.bool_))
    return filled(empty, named(empty, tally.counts))


def filled(reference: Reference, counts: Counts) -> Reference:
    """The reference with these counts in the place of its own."""
    return structs.replace(
        reference,
        logins=counts.logins,
        prompted=counts.prompted,
        denied=counts.denied,
        unknown=dict(counts.unknown),
        spreads={
            name: structs.replace(spread, counts=tuple(counts.spreads[name].tolist()))
            for name, spread in reference.spreads.items()
        },
    )


def edges_of(values: Matrix, least_gap: float = 0.0) -> tuple[float, ...]:
    """At most 13 rising edges: one in the widest gap of each window of the ranked values, if it is wider than that.

    A number that hardly varies has an edge on either side.
    """
    ranked, last = np.sort(values), len(values) - 1
    gaps = (_gap(ranked[int(low * last) : int(high * last) + 2], least_gap) for low, high in pairwise(WINDOWS))
    found = {gap for gap in gaps if gap is not None}
    return tuple(sorted(found or {float(ranked[0]) - ALONE, float(ranked[-1]) + ALONE}))


def _gap(ranked: Matrix, least: float) -> float | None:
    """The middle of the widest gap, None where no gap is wide enough."""
    gaps = np.diff(ranked)
    if not len(gaps) or gaps.max() <= least:
        return None
    widest = int(gaps.argmax())
    return float(ranked[widest] + gaps[widest] / 2.0)


def _numbers(parts: Parts, block: Block, score_map: ScoreMap) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """Features, signals, evidence and scores of the block's successful logins."""
    shared = shares(block.signals, block.scales.total, block.scales.kinds)
    seen = features.compute(block.signals, shared, block.scales)
    found = weighed(parts, block, score_map, seen=seen)
    own = block.succeeded
    return seen[own], block.signals[own], found.total[own], found.score[own]
