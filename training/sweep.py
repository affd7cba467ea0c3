"""One pass over a training log that gathers every login's numbers as they stood before it.

The log is cut into ten blocks. Frequencies are those of the blocks before, histories those of the logins before, so
what is fitted has the staleness that serving will have. The last two blocks are held out for calibration, both
measured against the frequencies at their common start.
"""

import contextlib
import itertools
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.encoders import COUNTED, Encoders, kinds, uniform_ratios
from risk_scorer.core.facts import NO_PRESSURE
from risk_scorer.core.features import COLUMN_OF_ATTRIBUTE, Scales
from risk_scorer.core.history import UserHistory, usual_place
from risk_scorer.core.observation import Observation
from risk_scorer.core.signals import LEVELS, Row, gather
from risk_scorer.core.signals import table as as_matrix
from training import aggregates
from training.attackers import SELDOM_EVERY, Attackers
from training.engines import DuckDB, Engine
from training.labelling.evidence import NO_EVIDENCE, Evidence, Judged, Told, Waiting
from training.lookups import Lookups
from training.observations import observations
from training.sources import EventTable
from training.stream import Past, Progress, look_then_learn, quiet

BLOCKS = 10
HELD_OUT_BLOCKS = 2

RARITY_LEVELS = frozenset({"asn", "ja4"})
"""Levels at which a value that few people have speaks against the login by itself.

A browser's version is none of them: the newest one is always rare in a log of last month.
"""
VICTIMS_A_BLOCK = 4_000
"""Logins of a block that strangers are put in the place of, about.

More does not make the trees better, only the training longer.
"""

Matrix = NDArray[np.float64]
Groups = Mapping[str, NDArray[np.object_]]
GROUPED = ("country", "device_type", "browser")
"""Attributes by which false positives are told."""
Rarity = tuple[Matrix, Matrix]
"""`scale` and `unseen` of `core.likelihood`, (12,) each."""


@dataclass(frozen=True, slots=True)
class Block:
    """One stretch of the log: (n, columns) `signals`, what they were measured against, which logins succeeded.

    `groups` are the values of `GROUPED` that the logins of a held-out block have, "" where unknown.

    `strangers` (m, columns) are simulated attackers in the place of people with a history, `stranger_kinds` (m,) the
    place of each in `attackers.KINDS`. `judged` are labelled logins, which are in nothing else unless they are safe.
    """

    signals: Matrix
    scales: Scales
    rarity: Rarity
    succeeded: NDArray[np.bool_]
    strangers: Matrix
    stranger_kinds: NDArray[np.int64]
    groups: Groups = field(default_factory=dict)
    judged: Judged = field(default_factory=lambda: judged_of([]))


@dataclass(frozen=True, slots=True)
class Sweep:
    """`fitting` and `held_out` blocks, and what the whole log taught. The first block only fills the frequencies."""

    fitting: tuple[Block, ...]
    held_out: tuple[Block, ...]
    encoders: Encoders
    histories: Mapping[str, UserHistory]
    places: Mapping[str, tuple[float, float]]


@dataclass
class _Totals:
    """Frequencies so far, and those of held-out blocks, which count only once the pass is over."""

    absent: Container[str]
    engine: Engine
    total: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=lambda: {name: {} for name in COUNTED})
    places: dict[str, list[int]] = field(default_factory=dict)

    def encoders(self) -> Encoders:
        counts: dict[str, Any] = dict(self.counts)
        return Encoders(total=self.total, **counts)

    def add(self, logins: aggregates.Logins) -> None:
        counted = [name for name in self.counts if COLUMN_OF_ATTRIBUTE[name] not in self.absent]
        for table in logins.tables():
            for name, value, count in self.engine.rows(partial(aggregates.frequencies, attributes=counted), table):
                counts = self.counts[name]
                counts[value] = counts.get(value, 0) + count
            for user, *sums in self.engine.rows(aggregates.place_sums, table):
                so_far = self.places.get(user, [0] * len(sums))
                self.places[user] = [one + more for one, more in zip(so_far, sums, strict=True)]
        self.total += len(logins)


def sweep(
    events: EventTable,
    lookups: Lookups,
    *,
    absent: Container[str] = (),
    seed: int = 0,
    engine: Engine | None = None,
    evidence: Evidence = NO_EVIDENCE,
    progress: Progress = quiet,
) -> Sweep:
    """Goes through the log once, probes aside. Columns that are `absent` are not counted; `seed` draws strangers.

    `engine` adds up, DuckDB unless another is given; whoever gives one closes it. `evidence` is looked at, each at its
    moment, and learned from by nothing here.
    """
    with contextlib.nullcontext(engine) if engine else contextlib.closing(DuckDB()) as adding:
        return _swept(events, lookups, _Totals(absent, adding), Waiting(evidence), seed=seed, progress=progress)


def _swept(
    events: EventTable, lookups: Lookups, totals: _Totals, evidence: Waiting, *, seed: int, progress: Progress
) -> Sweep:
    edges = np.linspace(0, len(events), BLOCKS + 1).astype(int).tolist()
    past, blocks = Past(), []
    chance = np.random.default_rng(seed)
    waiting: list[aggregates.Logins] = []
    for number, (start, stop) in enumerate(itertools.pairwise(edges)):
        encoders = totals.encoders()
        scales = Scales(total=float(totals.total), kinds=kinds(encoders), unknown_km=0.0)
        seen = seen_in(events, lookups, start, stop)
        own, strangers, judged = gathered(seen, encoders, past, chance, evidence, last_of(events.timestamp, stop))
        logins = aggregates.Logins(login for login in seen if login.success)
        blocks.append(
            Block(
                signals=as_matrix(own),
                scales=scales,
                rarity=rarity_of(encoders),
                succeeded=np.array([login.success for login in seen], dtype=bool),
                strangers=as_matrix([row for _, row in strangers]),
                stranger_kinds=np.array([kind for kind, _ in strangers], dtype=np.int64),
                groups=groups_of(seen) if number >= BLOCKS - HELD_OUT_BLOCKS else {},
                judged=judged_of(judged),
            )
        )
        if number < BLOCKS - HELD_OUT_BLOCKS:
            totals.add(logins)
        else:
            waiting.append(logins)
        progress("read", (number + 1) / BLOCKS)
    for logins in waiting:
        totals.add(logins)
    return Sweep(
        fitting=tuple(blocks[1:-HELD_OUT_BLOCKS]),
        held_out=tuple(blocks[-HELD_OUT_BLOCKS:]),
        encoders=totals.encoders(),
        histories=past.histories,
        places=_usual_places(totals.places),
    )


def rarity_of(encoders: Encoders) -> Rarity:
    """What rarity is worth at each level, given these frequencies."""
    ratios = [uniform_ratios(encoders.counts(level)) if level in RARITY_LEVELS else (0.0, 1.0) for level in LEVELS]
    return np.array([scale for scale, _ in ratios]), np.array([unseen for _, unseen in ratios])


def seen_in(events: EventTable, lookups: Lookups, start: int, stop: int) -> list[Observation]:
    """The logins of these rows, probes aside."""
    every = zip(observations(events, lookups, start=start, stop=stop), events.probe[start:stop], strict=True)
    return [seen for seen, probe in every if not probe]


def last_of(moments: NDArray[np.float64], stop: int) -> float:
    """The last moment before the row at which the next block begins."""
    return math.inf if stop >= len(moments) else math.nextafter(float(moments[stop]), 0.0)


def gathered(
    logins: Sequence[Observation],
    encoders: Encoders,
    past: Past,
    chance: np.random.Generator,
    evidence: Waiting,
    last: float,
) -> tuple[list[Row], list[tuple[int, Row]], list[tuple[Told, Row]]]:
    """The numbers of each login, of strangers in the place of some of those that succeeded, and of labelled ones.

    The labelled ones are those up to the moment `last`; what was being tried around them is left out.
    """
    attackers = Attackers([seen for seen in logins if seen.success], chance)
    share = VICTIMS_A_BLOCK / max(1, len(attackers.logins))
    rows: list[Row] = []
    strangers: list[tuple[int, Row]] = []
    judged: list[tuple[Told, Row]] = []

    def look_at(moment: float) -> None:
        for told in evidence.until(moment):
            known = past.histories.get(told.seen.user_id)
            judged.append((told, gather(encoders, told.seen, known, NO_PRESSURE)))

    victims = itertools.count()
    for seen in logins:
        look_at(seen.ts)
        history = past.histories.get(seen.user_id)
        if seen.success and history is not None and history.logins and chance.random() < share:
            seldom = next(victims) % SELDOM_EVERY == 0
            for kind, stranger in attackers.against(seen, with_seldom=seldom):
                strangers.append((kind, gather(encoders, stranger, history, past.crowd.around(stranger))))
        rows.append(look_then_learn(encoders, seen, past, is_probe=False))
    look_at(last)
    return rows, strangers, judged


def judged_of(rows: Sequence[tuple[Told, Row]]) -> Judged:
    """Labelled logins and their numbers as arrays."""
    return Judged(
        signals=as_matrix([row for _, row in rows]),
        weight=np.array([told.weight for told, _ in rows]),
        is_compromised=np.array([told.is_compromised for told, _ in rows], bool),
    )


def groups_of(seen: Sequence[Observation]) -> Groups:
    """The values of `GROUPED` of these logins."""
    found = {}
    for name in GROUPED:
        found[name] = np.empty(len(seen), dtype=object)
        found[name][:] = [getattr(login, name) for login in seen]
    return found


def _usual_places(sums: Mapping[str, list[int]]) -> dict[str, tuple[float, float]]:
    found = {}
    for user, (placed, *direction) in sorted(sums.items()):
        east, north, up = (whole / aggregates.UNIT for whole in direction)
        middle = usual_place(UserHistory(placed=placed, east=east, north=north, up=up))
        if middle is not None:
            found[user] = (round(middle[0], 6), round(middle[1], 6))
    return found
