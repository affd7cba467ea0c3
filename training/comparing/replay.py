"""A log lived through once with two models: each login seen by both as it would have been answered, then learned from.

Scores are those of `stream.score_table` to the bit. Strangers are put in people's place as in training
(`attackers.py`), drawn once and shown to both, so that what differs is the models alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.model import Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.scoring import score_rows
from risk_scorer.core.signals import Row, gather
from training.attackers import KINDS, SELDOM_EVERY, Attackers
from training.comparing.counting import Scores, Strangers
from training.lookups import Lookups
from training.observations import observations
from training.sources import EventTable
from training.stream import CHUNK, Past, Progress, look_then_learn, quiet

Flags = NDArray[np.bool_]

MOST_VICTIMS: Final = 20_000
"""Logins that strangers are put in the place of, about: enough for an interval of a percent."""
SEED: Final = 0


@dataclass(frozen=True)
class Replayed:
    """(n,) scores of every row of the table, and the strangers; None where the models see addresses differently."""

    scores: Scores
    strangers: Strangers | None


@dataclass
class _Drawn:
    """Strangers of one chunk as both models see them."""

    victims: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    active: list[Row] = field(default_factory=list)
    candidate: list[Row] = field(default_factory=list)


def replayed(
    active: Model,
    candidate: Model,
    table: EventTable,
    lookups: Lookups,
    *,
    judged: Flags,
    taught: Flags,
    progress: Progress = quiet,
) -> Replayed:
    """Scores of every row by both models. Strangers stand in for people in `judged` rows; `taught` rows teach."""
    if active.uses_ip_facts != candidate.uses_ip_facts:
        # One of them learned from facts on addresses that the other must not be shown: two lives, and no stranger
        # looks the same in both.
        alone = [_Both(each, each, table, lookups, judged=judged, taught=taught) for each in (active, candidate)]
        parts = [side.run(progress, with_strangers=False).scores.active for side in alone]
        return Replayed(Scores(active=parts[0], candidate=parts[1]), None)
    return _Both(active, candidate, table, lookups, judged=judged, taught=taught).run(progress, with_strangers=True)


class _Both:
    """Two models that are shown the same facts."""

    def __init__(
        self, active: Model, candidate: Model, table: EventTable, lookups: Lookups, *, judged: Flags, taught: Flags
    ) -> None:
        self._active, self._candidate = active, candidate
        self._table = table
        self._lookups = lookups if active.uses_ip_facts else lookups.without_networks()
        self._judged, self._taught = judged, taught
        self._past = Past()
        self._chance = np.random.default_rng(SEED)
        self._seen_victims = 0

    def run(self, progress: Progress, *, with_strangers: bool) -> Replayed:
        rows, total = len(self._table), len(self._table)
        scores = Scores(active=np.empty(rows), candidate=np.empty(rows))
        strangers: list[Strangers] = []
        for start in range(0, total, CHUNK):
            stop = min(start + CHUNK, total)
            seen = list(observations(self._table, self._lookups, start=start, stop=stop))
            drawn = _Drawn()
            pairs = list(self._lived(seen, start, drawn, with_strangers=with_strangers))
            scores.active[start:stop] = score_rows(self._active, [one for one, _ in pairs]).score
            scores.candidate[start:stop] = score_rows(self._candidate, [other for _, other in pairs]).score
            if drawn.kinds:
                strangers.append(self._scored(drawn))
            progress("score", stop / total)
        return Replayed(scores, _joined(strangers) if with_strangers else None)

    def _lived(
        self, seen: Sequence[Observation], start: int, drawn: _Drawn, *, with_strangers: bool
    ) -> Iterator[tuple[Row, Row]]:
        """What each model makes of each login, before it is learned from."""
        judged, taught = self._judged[start:], self._taught[start:]
        among = [login for place, login in enumerate(seen) if login.success and taught[place]]
        attackers = Attackers(among, self._chance)
        past, share = self._past, MOST_VICTIMS / max(1, int(self._judged.sum()))
        for place, login in enumerate(seen):
            history = past.histories.get(login.user_id)
            is_victim = with_strangers and judged[place] and taught[place] and login.success
            if is_victim and history is not None and history.logins and self._chance.random() < share:
                self._put_strangers(attackers, login, drawn)
            one = gather(self._active.encoders, login, history, past.crowd.around(login))
            yield one, look_then_learn(self._candidate.encoders, login, past, is_probe=not taught[place])

    def _put_strangers(self, attackers: Attackers, victim: Observation, drawn: _Drawn) -> None:
        history = self._past.histories.get(victim.user_id)
        with_seldom = self._seen_victims % SELDOM_EVERY == 0
        self._seen_victims += 1
        for kind, stranger in attackers.against(victim, with_seldom=with_seldom):
            around = self._past.crowd.around(stranger)
            drawn.victims.append(victim.user_id)
            drawn.kinds.append(KINDS[kind])
            drawn.active.append(gather(self._active.encoders, stranger, history, around))
            drawn.candidate.append(gather(self._candidate.encoders, stranger, history, around))

    def _scored(self, drawn: _Drawn) -> Strangers:
        scores = Scores(
            active=score_rows(self._active, drawn.active).score,
            candidate=score_rows(self._candidate, drawn.candidate).score,
        )
        return Strangers(victims=drawn.victims, kinds=drawn.kinds, scores=scores)


def _joined(parts: Sequence[Strangers]) -> Strangers:
    return Strangers(
        victims=[victim for part in parts for victim in part.victims],
        kinds=[kind for part in parts for kind in part.kinds],
        scores=Scores(
            active=np.concatenate([np.empty(0), *(part.scores.active for part in parts)]),
            candidate=np.concatenate([np.empty(0), *(part.scores.candidate for part in parts)]),
        ),
    )
