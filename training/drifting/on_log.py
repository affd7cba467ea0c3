"""Logins of a log held against a model's reference, scored as a stream: by bins, and value by value where it can be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core import features
from risk_scorer.core.drift import chance_of_distance, raw_distance
from risk_scorer.core.model import Model
from risk_scorer.core.reference import SCORE, Counts, Reference, named
from risk_scorer.core.scoring import Scored
from risk_scorer.core.tally import Tally
from training.assessed import assess_table
from training.drifting.thinned import Thinned
from training.lookups import Lookups
from training.sources import EventTable
from training.stream import Progress

LEAST_ROWS: Final = 100
"""Fewer logins of the training's held-out part in the log are not compared value by value."""


@dataclass(frozen=True)
class RawDistance:
    """A Kolmogorov-Smirnov distance of the values themselves, and how likely chance alone makes it this large."""

    distance: float
    chance: float


@dataclass(frozen=True)
class Found:
    """What the judged logins counted, from `since` to `until`, and raw distances by name where there are any."""

    counts: Counts
    since: float
    until: float
    raw: Mapping[str, RawDistance]


def counted_on(
    model: Model, reference: Reference, table: EventTable, lookups: Lookups, *, starts: float, progress: Progress
) -> Found:
    """The log's own successful logins from `starts` on; what lies before only tells who the people are."""
    tally, columns = Tally(reference), features.places(reference.watched)
    before, now = Thinned(len(columns) + 1), Thinned(len(columns) + 1)
    own = table.success & (table.probe == "")
    is_judged = own & (table.timestamp >= starts)
    span = reference.span
    is_baseline = own & (table.timestamp >= span.first) & (table.timestamp <= span.last) & ~is_judged
    for start, stop, scored in assess_table(model, table, lookups, progress=progress):
        judged, baseline = is_judged[start:stop], is_baseline[start:stop]
        tally.take((scored.features, scored.signals, scored.weighed.total, scored.score), judged)
        now.add(_values(scored, columns, judged))
        before.add(_values(scored, columns, baseline))
    when = table.timestamp[is_judged]
    return Found(
        counts=named(reference, tally.counts),
        since=float(when[0]) if len(when) else starts,
        until=float(when[-1]) if len(when) else starts,
        raw=_raw((*reference.watched, SCORE), before.rows, now.rows),
    )


def _values(scored: Scored, columns: NDArray[np.int64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.column_stack([scored.features[kept][:, columns], scored.weighed.total[kept]])


def _raw(names: tuple[str, ...], before: NDArray[np.float64], now: NDArray[np.float64]) -> dict[str, RawDistance]:
    if len(before) < LEAST_ROWS or not len(now):
        return {}
    found = {}
    for place, name in enumerate(names):
        distance = raw_distance(before[:, place], now[:, place])
        found[name] = RawDistance(distance, chance_of_distance(distance, len(before), len(now)))
    return found
