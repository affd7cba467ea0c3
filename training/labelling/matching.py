"""Finds labelled logins in a log: compromises leave it, and what is labelled is kept beside it as evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from training.labelling.label_file import Login
from training.labelling.standing import Label
from training.refusals import TrainingRefusedError, WrongInputError
from training.sources import EventTable

Whose = Callable[[int], tuple[str, str]]
"""Person and canonical address of a row."""
DROPPED: Final = "confirmed_compromised"
MOST_KEPT_OUT: Final = 0.10
"""A tenth of a log that was compromised is no log to learn from, or somebody labels what they should not."""
_OPTIONAL: Final = ("browser", "os", "device_type")


Table = TypeVar("Table")


@dataclass(frozen=True)
class Matched(Generic[Table]):
    """A log without its confirmed compromises, and the labelled rows in time order with the label of each.

    `missed` labels are of logins that the log does not have: it may be another log, or an earlier part of it.
    """

    table: Table
    rows: EventTable
    labels: tuple[Label, ...]
    kept_out: int
    missed: int


@dataclass(frozen=True, slots=True)
class Found:
    """Which rows of a log have which label, the labels that none has, and what to say of those."""

    places: Mapping[int, Label]
    missed: int
    notes: tuple[str, ...]

    def compromised(self, rows: int) -> NDArray[np.bool_]:
        """(rows,) those to keep out. Raises as `matched`."""
        drop = np.zeros(rows, bool)
        for place, label in self.places.items():
            drop[place] = label.is_compromised
        _require_some_left(drop)
        return drop

    @property
    def labels(self) -> tuple[Label, ...]:
        """The label of each labelled row, in the order of the rows."""
        return tuple(self.places[place] for place in sorted(self.places))


def matched(table: EventTable, labels: Iterable[Label]) -> Matched[EventTable]:
    """Takes compromises out of the table, counted in `dropped`; what is missing is told in `notes`.

    Raises WrongInputError("no_usable_rows") when nothing is left, TrainingRefusedError("too_many_compromised") above
    `MOST_KEPT_OUT`.
    """
    found = found_in(table.timestamp, _whose(table), labels)
    drop = found.compromised(len(table))
    is_labelled = np.zeros(len(table), bool)
    is_labelled[np.fromiter(found.places, np.int64)] = True
    return Matched(
        table=_without(table, drop, found.notes),
        rows=replace(_rows(table, is_labelled), present=table.present),
        labels=found.labels,
        kept_out=int(drop.sum()),
        missed=found.missed,
    )


def found_in(moments: NDArray[np.float64], whose: Whose, labels: Iterable[Label]) -> Found:
    """The labelled rows of a log with these moments; `whose` tells person and address of a row."""
    # where a coarse log makes two logins one, the compromise counts
    by_login = {label.login: label for label in sorted(labels, key=lambda label: label.is_compromised)}
    places, met = _places(moments, whose, by_login)
    missed = sum(label.is_compromised for login, label in by_login.items() if login not in met)
    compromised = sum(label.is_compromised for label in by_login.values())
    return Found(places, len(by_login) - len(met), _notes(missed, compromised))


def without_compromised(table: EventTable, compromised: frozenset[Login]) -> EventTable:
    """The table without these logins, counted in `dropped`; `row_order` still says where each row stood in the file.

    Labels that the log does not have are told in `notes`: it may be another log, or one with coarser times.
    Raises WrongInputError("no_usable_rows") when nothing is left.
    """
    if not compromised:
        return table
    places, met = _places(table.timestamp, _whose(table), dict.fromkeys(compromised))
    drop = np.zeros(len(table), bool)
    drop[np.fromiter(places, np.int64)] = True
    if drop.all():
        raise _nothing_left()
    return _without(table, drop, _notes(len(compromised) - len(met), len(compromised)))


def _whose(table: EventTable) -> Whose:
    return lambda row: (str(table.user_id[row]), str(table.ip[row]))


def _places(
    times: NDArray[np.float64], whose: Whose, by_login: Mapping[Login, Any]
) -> tuple[dict[int, Any], set[Login]]:
    """What belongs to which row of the log, and the logins that were found."""
    step = 1000 if (times % 1.0 == 0.0).all() else 1  # a log of whole seconds has cut the rest off
    coarse = {(user, moment // step, ip): (user, moment, ip) for user, moment, ip in by_login}
    moments = np.round(times * 1000).astype(np.int64) // step
    wanted = np.unique(np.array([moment for _, moment, _ in coarse], np.int64))
    found: dict[int, Any] = {}
    met: set[Login] = set()
    for place in np.flatnonzero(np.isin(moments, wanted)).tolist():
        user, ip = whose(place)
        login = coarse.get((user, int(moments[place]), ip))
        if login is not None:
            found[place] = by_login[login]
            met.add(login)
    return found, met


def _require_some_left(drop: NDArray[np.bool_]) -> None:
    if drop.all():
        raise _nothing_left()
    if drop.mean() > MOST_KEPT_OUT:
        raise TrainingRefusedError(
            "too_many_compromised",
            f"{drop.mean():.0%} of the usable rows are confirmed compromises; above {MOST_KEPT_OUT:.0%} the labels are"
            " doubted before the log is",
        )


def _nothing_left() -> WrongInputError:
    return WrongInputError("no_usable_rows", "every usable row of the log is a confirmed compromise")


def _notes(missed: int, of: int) -> tuple[str, ...]:
    return (f"{missed} of {of} confirmed compromises are not among the usable rows",) if missed else ()


def _without(table: EventTable, drop: NDArray[np.bool_], notes: tuple[str, ...]) -> EventTable:
    if not drop.any():
        return replace(table, notes=table.notes + notes) if notes else table
    return replace(
        _rows(table, ~drop),
        dropped={**table.dropped, DROPPED: table.dropped.get(DROPPED, 0) + int(drop.sum())},
        notes=table.notes + notes,
    )


def _rows(table: EventTable, kept: NDArray[np.bool_]) -> EventTable:
    columns: dict[str, Any] = {}
    for field in fields(table):
        values = getattr(table, field.name)
        if isinstance(values, np.ndarray):
            columns[field.name] = values[kept]
    for name in _OPTIONAL:
        if name in columns and not columns[name].any():
            columns[name] = None  # as if the log did not give it
    present = frozenset(name for name in table.present if name not in columns or _has_value(columns[name], name))
    return replace(table, **columns, present=present)


def _has_value(values: NDArray[Any] | None, name: str) -> bool:
    if values is None:
        return False
    if name in ("timestamp", "success"):  # every row has one, and False is one
        return True
    return bool((~np.isnan(values)).any() if values.dtype == np.float64 else values.any())
