"""What people found out about logins, as `risk-scorer labels` writes it: whose logins a model must never learn.

A confirmed compromise in a log would teach that the attacker's context is the person's own. A log has no ids of
events, so a login is known by its person, its address and its moment, to the millisecond or as exactly as the log is.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.observation import BadEvent, canonical_address
from training.refusals import WrongInputError
from training.sources import EventTable

Login = tuple[str, int, str]
"""Person, epoch milliseconds and canonical address."""
LABELS: Final = frozenset({"compromised", "safe", "withdrawn"})
DROPPED: Final = "confirmed_compromised"
MOST_BYTES: Final = 1 << 30
_OPTIONAL: Final = ("browser", "os", "device_type")


class _Label(msgspec.Struct):
    user_id: str
    timestamp: float
    ip: str
    label: str


_decoder = msgspec.json.Decoder(_Label)


def read_labels(path: Path | str) -> frozenset[Login]:
    """The logins that were confirmed as compromised.

    Raises WrongInputError with a stable code: `no_such_file`, `unreadable_file`, `bad_labels` with the line's number.
    """
    found = set()
    for number, line in enumerate(_lines(Path(path)), start=1):
        if not line.strip():
            continue
        try:
            label = _decoder.decode(line)
            login = (label.user_id, _milliseconds(label.timestamp), canonical_address(label.ip))
        except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError, BadEvent) as cause:
            raise _bad(Path(path), number, "is not a labelled login as `risk-scorer labels` writes it") from cause
        if label.label not in LABELS:
            raise _bad(Path(path), number, f"has another label than {' or '.join(sorted(LABELS))}")
        if label.label == "compromised":
            found.add(login)
    return frozenset(found)


def without_compromised(table: EventTable, compromised: frozenset[Login]) -> EventTable:
    """The table without these logins, counted in `dropped`; `row_order` still says where each row stood in the file.

    Labels that the log does not have are told in `notes`: it may be another log, or one with coarser times.
    Raises WrongInputError("no_usable_rows") when nothing is left.
    """
    if not compromised:
        return table
    step = 1000 if (table.timestamp % 1.0 == 0.0).all() else 1  # a log of whole seconds has cut the rest off
    compromised = frozenset((user, moment // step, ip) for user, moment, ip in compromised)
    moments = np.round(table.timestamp * 1000).astype(np.int64) // step
    wanted = np.unique(np.array([moment for _, moment, _ in compromised], np.int64))
    met, drop = set(), np.zeros(len(table), bool)
    for place in np.flatnonzero(np.isin(moments, wanted)).tolist():
        login = (table.user_id[place], int(moments[place]), table.ip[place])
        if login in compromised:
            drop[place] = True
            met.add(login)
    missed = len(compromised) - len(met)
    note = (f"{missed} of {len(compromised)} confirmed compromises are not among the usable rows",) if missed else ()
    if not met:
        return replace(table, notes=table.notes + note)
    if drop.all():
        raise WrongInputError("no_usable_rows", "every usable row of the log is a confirmed compromise")
    return replace(
        _rows(table, ~drop),
        dropped={**table.dropped, DROPPED: table.dropped.get(DROPPED, 0) + int(drop.sum())},
        notes=table.notes + note,
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


def _milliseconds(seconds: float) -> int:
    if not math.isfinite(seconds) or not 0 <= seconds < 2**33:
        raise ValueError("out of range")
    return round(seconds * 1000)


def _lines(path: Path) -> list[bytes]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise WrongInputError("unreadable_file", f"{path.name} is larger than {MOST_BYTES >> 20} MiB")
        return path.read_bytes().split(b"\n")
    except FileNotFoundError as cause:
        raise WrongInputError("no_such_file", f"there is no file {path}") from cause
    except OSError as cause:
        raise WrongInputError("unreadable_file", f"{path} cannot be read: {cause.strerror or cause}") from cause


def _bad(path: Path, number: int, why: str) -> WrongInputError:
    return WrongInputError("bad_labels", f"line {number} of {path.name} {why}")
