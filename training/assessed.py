"""A log scored as a stream with everything that the scores are made of, for those who judge a model."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core import forest
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
    """(n,) nats that the forest gives logins with these (n, WIDTH) features: its column of `Weighed.evidence`."""
    unusual = -forest.decision_function(model.forest, features)
    knots, nats = model.surprise.unusual, model.surprise.nats
    found = np.interp(unusual, knots, nats)
    slope = (nats[-1] - nats[-2]) / (knots[-1] - knots[-2])
    beyond = np.maximum(unusual - knots[-1], 0.0)  # past the last knot it goes on as steeply
    weighted: Matrix = model.surprise.weight * (found + slope * beyond)
    return weighted
