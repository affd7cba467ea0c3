"""A log scored as a stream with everything that the scores are made of, for those who judge a model."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core import calibration, forest
from risk_scorer.core.model import Model
from risk_scorer.core.scoring import Scored, score_rows
from training.lookups import Lookups
from training.observations import observations
from training.sources import EventTable
from training.stream import CHUNK, Past, Progress, look_then_learn, quiet

Matrix = NDArray[np.float64]


class Assessed(NamedTuple):
    """Rows `start` to `stop` of the table, as the scorer would have answered for them when they came."""

    start: int
    stop: int
    scored: Scored


def assess_table(
    model: Model, table: EventTable, lookups: Lookups, *, progress: Progress = quiet
) -> Iterator[Assessed]:
    """Every row of the table in time order, a chunk at a time, each seen before anything is learned from it.

    The scores are those of `stream.score_table` to the bit. No label is an input.
    """
    usable = lookups if model.uses_ip_facts else lookups.without_networks()
    past = Past()
    for start in range(0, len(table), CHUNK):
        stop = min(start + CHUNK, len(table))
        seen = observations(table, usable, start=start, stop=stop)
        rows = [
            look_then_learn(model.encoders, login, past, is_probe=probe != "")
            for login, probe in zip(seen, table.probe[start:stop], strict=True)
        ]
        yield Assessed(start, stop, score_rows(model, rows))
        progress("score", stop / len(table))


def forest_nats(model: Model, features: Matrix) -> Matrix:
    """(n,) the forest's evidence for these features, as `weigh` would count it."""
    return calibration.surprises(forest.decision_function(model.forest, features), model.surprise)
