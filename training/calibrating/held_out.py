"""One pass over a log with a published model: what later logins, and strangers in people's place, weigh in nats.

Nothing is fitted here. Evidence does not depend on the marks, so one pass serves every budget.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core import history
from risk_scorer.core.model import Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.scoring import score_rows
from risk_scorer.core.signals import PLACE, Row, gather
from training.attackers import KINDS, SELDOM_EVERY, Attackers
from training.checks import usual_logins
from training.lookups import Lookups
from training.observations import observations
from training.sources import EventTable
from training.stream import CHUNK, Histories, Past, Progress, look_then_learn, quiet
from training.sweep import GROUPED, VICTIMS_A_BLOCK

Flags = NDArray[np.bool_]
Vector = NDArray[np.float64]

SIMULATED = "simulated "
"""What the names of kinds of strangers begin with that were drawn from the log, and never attacked anybody."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of the table are weighed: people's own (`legitimate`) and attacks by family, none before `first`.
    Nothing is learned from rows that are not `taught`."""

    first: int
    legitimate: Flags
    families: Mapping[str, Flags]
    taught: Flags


@dataclass(frozen=True, slots=True)
class HeldOut:
    """`evidence` (n,) nats of the legitimate logins, `rows` (n,) their places in the table, `is_usual` (n,) whether
    they are like their person's earlier ones, `has_past` whether there are any; `groups` are the values of
    `sweep.GROUPED` that they have, "" where unknown. `attacks` is the evidence of each family, simulated ones last.
    `most_known` is the longest history there is at the end."""

    evidence: Vector
    rows: NDArray[np.int64]
    is_usual: Flags
    has_past: Flags
    groups: Mapping[str, NDArray[np.object_]]
    attacks: Mapping[str, Vector]
    most_known: history.UserHistory


@dataclass(slots=True)
class _Gathered:
    """Pieces of the answer as they come."""

    evidence: list[Vector] = field(default_factory=list)
    rows: list[NDArray[np.int64]] = field(default_factory=list)
    usual: list[Flags] = field(default_factory=list)
    past: list[Flags] = field(default_factory=list)
    own: list[tuple[str, ...]] = field(default_factory=list)
    attacks: dict[str, list[Vector]] = field(default_factory=dict)


def known_histories(stored: Iterable[tuple[str, bytes]], people: Collection[str]) -> Histories:
    """The histories of these people, of all that a model brings."""
    return {user: history.decode(content) for user, content in stored if user in people}


def held_out(
    model: Model,
    table: EventTable,
    lookups: Lookups,
    wanted: Wanted,
    *,
    known: Histories,
    seed: int,
    progress: Progress = quiet,
) -> HeldOut:
    """Weighs the wanted rows, each before anything is learned from it. `known` is what was known before the first row.

    `seed` draws the strangers. The same model, table and seed give the same numbers, whatever the machine.
    """
    usable = lookups if model.uses_ip_facts else lookups.without_networks()
    past, chance, found = Past(histories=dict(known)), np.random.default_rng(seed), _Gathered()
    share = VICTIMS_A_BLOCK / max(1, int(wanted.legitimate.sum()))
    for start in range(0, len(table), CHUNK):
        stop = min(start + CHUNK, len(table))
        seen = list(observations(table, usable, start=start, stop=stop))
        own = wanted.legitimate[start:stop]
        attackers = Attackers([login for login, is_own in zip(seen, own, strict=True) if is_own], chance)
        drawn = _Drawn(model, attackers, chance, share)
        rows = []
        for login, is_own, teaches in zip(seen, own.tolist(), wanted.taught[start:stop].tolist(), strict=True):
            drawn.against(login, past, is_own=is_own)
            rows.append(look_then_learn(model.encoders, login, past, is_probe=not teaches))
        if stop > wanted.first:
            found.own += [_grouped(login) for login, is_own in zip(seen, own.tolist(), strict=True) if is_own]
            _weigh(model, rows, wanted, start, found)
            _weigh_strangers(model, drawn.strangers, found)
        progress("score", stop / len(table))
    return _joined(found, past)


@dataclass(slots=True)
class _Drawn:
    """Strangers in the place of some of the people's own logins."""

    model: Model
    attackers: Attackers
    chance: np.random.Generator
    share: float
    strangers: list[tuple[int, Row]] = field(default_factory=list)
    victims: int = 0

    def against(self, login: Observation, past: Past, *, is_own: bool) -> None:
        known = past.histories.get(login.user_id)
        if not is_own or known is None or not known.logins or self.chance.random() >= self.share:
            return
        is_seldom = self.victims % SELDOM_EVERY == 0
        self.victims += 1
        for kind, stranger in self.attackers.against(login, with_seldom=is_seldom):
            around = past.crowd.around(stranger)
            self.strangers.append((kind, gather(self.model.encoders, stranger, known, around)))


def _weigh(model: Model, rows: Sequence[Row], wanted: Wanted, start: int, found: _Gathered) -> None:
    here = slice(start, start + len(rows))
    scored = score_rows(model, rows)
    own = np.flatnonzero(wanted.legitimate[here])
    found.evidence.append(scored.weighed.total[own])
    found.rows.append(own + start)
    found.usual.append(usual_logins(scored.signals[own]))
    found.past.append(scored.signals[own, PLACE["logins"]] > 0)
    for name, flags in wanted.families.items():
        found.attacks.setdefault(name, []).append(scored.weighed.total[flags[here]])


def _weigh_strangers(model: Model, strangers: Sequence[tuple[int, Row]], found: _Gathered) -> None:
    if not strangers:
        return
    total = score_rows(model, [row for _, row in strangers]).weighed.total
    kinds = np.array([kind for kind, _ in strangers])
    for kind, name in enumerate(KINDS):
        found.attacks.setdefault(SIMULATED + name, []).append(total[kinds == kind])


def _joined(found: _Gathered, past: Past) -> HeldOut:
    attacks = {name: np.concatenate(parts) for name, parts in found.attacks.items()}
    return HeldOut(
        evidence=_whole(found.evidence),
        rows=_whole(found.rows).astype(np.int64),
        is_usual=_whole(found.usual).astype(bool),
        has_past=_whole(found.past).astype(bool),
        groups={name: np.array([one[place] for one in found.own], object) for place, name in enumerate(GROUPED)},
        attacks={name: attacks[name] for name in _in_order(attacks) if len(attacks[name])},
        most_known=max(past.histories.values(), key=lambda person: person.logins, default=history.EMPTY),
    )


def _grouped(login: Observation) -> tuple[str, ...]:
    return tuple(getattr(login, name) for name in GROUPED)


def _in_order(names: Iterable[str]) -> Iterator[str]:
    """What happened first, then what was simulated."""
    yield from sorted(names, key=lambda name: name.startswith(SIMULATED))


def _whole(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0)
