"""How often each value occurs in everyone's logins so far, for a log of any size, and the bounded encoders of it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec import UNSET
from numba import njit
from numpy.typing import NDArray

from risk_scorer.core.encoders import COUNTED, Encoders, Rest, ratios_of
from risk_scorer.core.features import COLUMN_OF_ATTRIBUTE
from risk_scorer.core.signals import LEVELS
from training.columns.facts import AT_ONCE, Facts
from training.columns.texts import Texts
from training.sweep import RARITY_LEVELS, Rarity

MOST_VALUES = 200_000
"""Of an attribute that a scorer keeps in memory, the most frequent ones; the others count as never seen."""
_TEXTS_OF = {"user": "user_id", "ua": "user_agent", "device": "device_id"}


@dataclass
class Counts:
    """Successful logins so far by value; columns that are `absent` are not counted."""

    facts: Facts
    absent: Container[str]
    most: int = MOST_VALUES
    total: int = 0
    of: dict[str, NDArray[np.int32]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.of = {name: np.zeros(len(self._texts(name)), np.int32) for name in self._counted()}

    def add(self, start: int, stop: int) -> None:
        """Count the successful logins of these rows of the log, probes aside."""
        log = self.facts.log
        for begin in range(start, stop, AT_ONCE):
            rows = begin + np.flatnonzero((log.success & log.learned)[begin : min(begin + AT_ONCE, stop)])
            self.total += len(rows)
            for name, counted in self.of.items():
                _add(self.facts.codes(name, rows), counted)

    def kinds(self) -> NDArray[np.float64]:
        """As `encoders.kinds` of all values."""
        return np.array([float(np.count_nonzero(self.of[name])) if name in self.of else 0.0 for name in COUNTED])

    def rarity(self) -> Rarity:
        """As `sweep.rarity_of` of all values."""
        found = [ratios_of(self._occurring(level)) if level in RARITY_LEVELS else (0.0, 1.0) for level in LEVELS]
        return np.array([scale for scale, _ in found]), np.array([unseen for _, unseen in found])

    def encoders(self, rows: NDArray[np.int64] | None = None) -> Encoders:
        """The encoders: of the values of these rows alone, or of all; either way without the rarest beyond `most`."""
        kept: dict[str, Any] = {}
        rest: dict[str, Rest] = {}
        for name, counted in self.of.items():
            least = self._least(counted)
            values: NDArray[Any] = np.flatnonzero(counted > least)
            if len(values) < np.count_nonzero(counted):
                seldom = counted[(counted > 0) & (counted <= least)]
                rest[name] = Rest(values=len(seldom), logins=int(seldom.sum()))
            if rows is not None:
                some = np.unique(self.facts.codes(name, rows))
                values = some[counted[some] > least]
            logins = counted[values].tolist()
            kept[name] = dict(zip(self._texts(name).texts(values.tolist()), logins, strict=True))
        return Encoders(total=self.total, rest=rest or UNSET, **kept)

    def _least(self, counted: NDArray[np.int32]) -> int:
        """The highest count that is not kept: no value is preferred to another with as many logins."""
        occurring = counted[counted > 0]
        if len(occurring) <= self.most:
            return 0
        return int(np.partition(occurring, len(occurring) - self.most - 1)[len(occurring) - self.most - 1])

    def _occurring(self, level: str) -> NDArray[np.float64]:
        counted = self.of.get(level)
        return np.empty(0) if counted is None else counted[counted > 0].astype(np.float64)

    def _counted(self) -> list[str]:
        return [name for name in COUNTED if COLUMN_OF_ATTRIBUTE[name] not in self.absent]

    def _texts(self, name: str) -> Texts:
        return self.facts.texts[_TEXTS_OF.get(name, name)]


@njit(cache=True, nogil=True)
def _add(codes: Any, counted: Any) -> None:
    for code in codes:
        counted[code] += 1
