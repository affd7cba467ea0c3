"""Labelled logins as evidence that the sweep meets at their moment: looked at, and not learned from.

A compromise stands among the strangers and a safe login among people's own, each with its bounded weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.observation import Observation
from training.labelling.bounds import SHARES, Bounded, Grouped, bounded
from training.labelling.matching import Matched
from training.lookups import Lookups
from training.observations import observations


@dataclass(frozen=True, slots=True)
class Told:
    """One labelled login: what is scored of it, and what it weighs (a share, see `bounds`)."""

    seen: Observation
    is_compromised: bool
    weight: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Every labelled login of a log in time order, and what the bounds did to compromised and to safe ones."""

    told: tuple[Told, ...] = ()
    compromised: Bounded = field(default_factory=lambda: bounded(()))
    safe: Bounded = field(default_factory=lambda: bounded(()))

    @property
    def largest(self) -> dict[str, float]:
        """The largest share that any one of each kind of group has of what either kind of label may weigh."""
        return {kind: max(self.compromised.largest[kind], self.safe.largest[kind]) for kind in SHARES}


NO_EVIDENCE: Final = Evidence()


def evidence_of(matched: Matched[Any], lookups: Lookups) -> Evidence:
    """The labelled rows as the scorer would see them, weighed."""
    seen = list(observations(matched.rows, lookups))
    weights = np.empty(len(seen))
    found: dict[bool, Bounded] = {}
    for is_compromised in (True, False):
        places = [place for place, label in enumerate(matched.labels) if label.is_compromised == is_compromised]
        found[is_compromised] = bounded([_grouped(matched, seen, place) for place in places])
        weights[places] = found[is_compromised].weights
    told = zip(seen, matched.labels, weights.tolist(), strict=True)
    return Evidence(
        tuple(Told(login, label.is_compromised, weight) for login, label, weight in told), found[True], found[False]
    )


def _grouped(matched: Matched[Any], seen: Sequence[Observation], place: int) -> Grouped:
    label, login = matched.labels[place], seen[place]
    return Grouped(label.worth, login.user_id, login.prefix, login.asn_key, label.mouth)


class Waiting:
    """Evidence that the pass over the log has not come to yet."""

    def __init__(self, evidence: Evidence) -> None:
        self._told = evidence.told
        self._next = 0

    def until(self, moment: float) -> Iterator[Told]:
        """What happened up to this moment and was not handed out yet."""
        while self._next < len(self._told) and self._told[self._next].seen.ts <= moment:
            self._next += 1
            yield self._told[self._next - 1]


@dataclass(frozen=True, slots=True)
class Judged:
    """(k, columns) signals of the labelled logins of a block as they stood before each, what they weigh and are."""

    signals: NDArray[np.float64]
    weight: NDArray[np.float64]
    is_compromised: NDArray[np.bool_]

    def lighter(self, share: float) -> Judged:
        """The same with this share of the weight; nothing at a share of 0."""
        kept = slice(None) if share > 0.0 else slice(0)
        return Judged(self.signals[kept], self.weight[kept] * share, self.is_compromised[kept])
