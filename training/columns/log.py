"""A log in coded columns, and the rows of some people as the table that fitting reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.columns.texts import Codes, Texts
from training.sources import EventTable

OPTIONAL = ("browser", "os", "device_type")


@dataclass(frozen=True)
class CodedLog:
    """The usable rows of a log in time order (ties keep the file's order); the fields are those of `EventTable`.

    `codes` are the (n,) numbers of each text column in `texts`; `optional` are the columns of `OPTIONAL` that it has.
    """

    timestamp: NDArray[np.float64]
    success: NDArray[np.bool_]
    asn: NDArray[np.int64]
    ip_rep: NDArray[np.float64]
    rtt_ms: NDArray[np.float64]
    codes: Mapping[str, Codes]
    texts: Mapping[str, Texts]
    row_order: NDArray[np.int64]
    present: frozenset[str]
    dropped: dict[str, int]
    rows_in_file: int
    held_back: int
    notes: tuple[str, ...]
    optional: frozenset[str]

    def __len__(self) -> int:
        return len(self.timestamp)

    @cached_property
    def people(self) -> int:
        """How many people there are."""
        return int(np.count_nonzero(np.bincount(self.codes["user_id"])))

    @cached_property
    def learned(self) -> NDArray[np.bool_]:
        """(n,) which rows teach: all that are no probes."""
        return np.asarray(self.codes["probe"] == 0)

    def table(self, rows: NDArray[np.int64] | None = None) -> EventTable:
        """These rows (all without) as whole columns of texts, as `sources.read_events` gives them."""
        at: Any = slice(None) if rows is None else rows
        columns: dict[str, Any] = {
            name: getattr(self, name)[at] for name in ("timestamp", "success", "asn", "ip_rep", "rtt_ms", "row_order")
        }
        for name, codes in self.codes.items():
            absent = name in OPTIONAL and name not in self.optional
            columns[name] = None if absent else self._objects(name, codes[at])
        return EventTable(
            **columns,
            present=self.present,
            dropped=dict(self.dropped),
            rows_in_file=self.rows_in_file,
            held_back=self.held_back,
            notes=self.notes,
        )

    def without(self, rows: NDArray[np.bool_], *, why: str, notes: tuple[str, ...] = ()) -> CodedLog:
        """The log without these rows, which count as dropped for that reason."""
        if not rows.any():
            return replace(self, notes=self.notes + notes)
        kept = np.flatnonzero(~rows)
        columns: dict[str, Any] = {
            name: getattr(self, name)[kept] for name in ("timestamp", "success", "asn", "ip_rep", "rtt_ms", "row_order")
        }
        codes = {name: values[kept] for name, values in self.codes.items()}
        blank = {name for name, values in codes.items() if not values.any()}
        return replace(
            self,
            **columns,
            codes=codes,
            dropped={**self.dropped, why: self.dropped.get(why, 0) + int(rows.sum())},
            notes=self.notes + notes,
            present=self.present - blank,
            optional=self.optional - blank,
        )

    def _objects(self, name: str, codes: Codes) -> NDArray[np.object_]:
        distinct, places = np.unique(codes, return_inverse=True)
        found = np.empty(len(distinct), object)
        found[:] = list(self.texts[name].texts(distinct.tolist()))
        objects: NDArray[np.object_] = found[places]
        return objects
