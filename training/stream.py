"""A log in time order as the scorer would have lived it: each login is looked at first and learned from afterwards."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.encoders import Encoders
from risk_scorer.core.history import UserHistory, learn
from risk_scorer.core.lessons import OutcomeKind
from risk_scorer.core.model import Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.pressure import Crowd
from risk_scorer.core.scoring import score_rows
from risk_scorer.core.signals import Row, gather
from training.lookups import Lookups
from training.observations import observations
from training.sources import EventTable

Progress = Callable[[str, float], None]
"""Told the step and how much of it is done, 0-1."""

CHUNK = 20_000
Histories = dict[str, UserHistory]


def quiet(_step: str, _share: float) -> None:
    """Progress that tells nobody."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the logins so far have taught, as it grows: each person's history, and what is being tried around."""

    histories: Histories = field(default_factory=dict)
    crowd: Crowd = field(default_factory=Crowd)


def look_then_learn(encoders: Encoders, seen: Observation, past: Past, *, is_probe: bool) -> Row:
    """The numbers about this login as they stood before it; then the past learns from it, unless it is a probe.

    Only a success teaches what is the person's own; a failure counts as a failure.
    """
    history = past.histories.get(seen.user_id)
    row = gather(encoders, seen, history, past.crowd.around(seen))
    if not is_probe:
        outcome: OutcomeKind = "success" if seen.success else "failure"
        past.histories[seen.user_id] = learn(history, seen, outcome)
        past.crowd.learn(seen, outcome)
    return row


def score_table(
    model: Model, table: EventTable, lookups: Lookups, *, progress: Progress = quiet
) -> NDArray[np.float64]:
    """The unrounded score of every row of the table, (n,), as if nobody had been known before its first row.

    Gathering is strictly row by row; the numbers are then weighed in chunks, which changes no bit of them.
    """
    usable = lookups if model.uses_ip_facts else lookups.without_networks()
    past = Past()
    scores = np.empty(len(table))
    for start in range(0, len(table), CHUNK):
        stop = min(start + CHUNK, len(table))
        rows = [
            look_then_learn(model.encoders, seen, past, is_probe=probe != "")
            for seen, probe in zip(
                observations(table, usable, start=start, stop=stop), table.probe[start:stop], strict=True
            )
        ]
        scores[start:stop] = score_rows(model, rows).score
        progress("score", stop / len(table))
    return scores
