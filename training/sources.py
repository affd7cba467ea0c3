"""Login logs as whole columns: the one door through which training sees a log. Labels do not pass it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.engines import Log
from training.log_rows import Columns, Objects, gathered, kept_rows, moments, unusable
from training.log_schemas import REQUIRED, TEXTS
from training.log_sources import open_logs
from training.refusals import WrongInputError

_OPTIONAL = ("browser", "os", "device_type")
MAX_ASN = 2**32 - 1
_SHORTENED_ID = re.compile(r"-?\d(\.\d+)?[eE]\+?\d+")


@dataclass(frozen=True)
class EventTable:
    """The usable rows of a log in time order (ties keep the file's order), one array a column, all of one length.

    Texts are object arrays of `str`, "" where missing. `asn` is 0, `ip_rep` and `rtt_ms` are NaN where missing.
    `browser`, `os` and `device_type` are None when the log does not give them.
    """

    timestamp: NDArray[np.float64]
    user_id: Objects
    ip: Objects
    user_agent: Objects
    device_id: Objects
    success: NDArray[np.bool_]
    country: Objects
    region: Objects
    city: Objects
    ja4: Objects
    ja4h: Objects
    ja4s: Objects
    asn: NDArray[np.int64]
    ip_rep: NDArray[np.float64]
    rtt_ms: NDArray[np.float64]
    browser: Objects | None
    os: Objects | None
    device_type: Objects | None
    probe: Objects
    row_order: NDArray[np.int64]
    """Place in the file (first row is 0) of each row."""
    present: frozenset[str] = frozenset()
    """Names of the columns that hold at least one value; an all-empty column is absent."""
    dropped: dict[str, int] = field(default_factory=dict)
    """How many rows of the file could not be used, by reason."""
    rows_in_file: int = 0
    held_back: int = 0
    """Usable rows at or after `until`, left out."""
    notes: tuple[str, ...] = ()
    """What a person should know about how the log was read."""

    def __len__(self) -> int:
        return len(self.timestamp)

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(set(self.user_id))


def read_events(*sources: Path | str, until: float | None = None) -> EventTable:
    """The events of a log in the RBA data set's schema (CSV, Parquet) or in ours (CSV, JSON, JSON lines, Parquet).

    Each of `sources` is a file, a folder, a pattern or the scorer's database; together they are one log. `until` (epoch
    seconds) leaves out that moment and everything after it. Raises WrongInputError, UnreachableError with stable codes.
    """
    return events_of(open_logs([str(source) for source in sources]), until=until)


def events_of(log: Log, *, until: float | None = None) -> EventTable:
    """The events of a log that an engine opened, as `read_events` gives them."""
    with log.batches() as batches:
        columns = gathered(batches)
        malformed = batches.malformed_rows()
    if not columns and not malformed:
        raise WrongInputError("empty_file", f"{log.path.name} has a header and no rows")
    if not columns:
        raise WrongInputError("no_usable_rows", f"none of the {len(malformed)} rows of {log.path.name} can be parsed")
    require_columns(columns, log.path.name)
    return _table(columns, malformed, name=log.path.name, until=until)


def require_columns(columns: Columns, name: str) -> None:
    """JSON has no header: a required column that no row has is a missing one."""
    has_time = (~np.isnan(columns["moment"])).any() or (~np.isnan(columns["hour_clock"])).any()
    has = {"timestamp": has_time, "user_id": columns["user_id"].any(), "ip": columns["ip"].any()}
    lacking = [column for column in REQUIRED if not has[column]]
    if lacking:
        raise WrongInputError("unknown_columns", f"no row of {name} has a usable {', '.join(lacking)}")


def _table(columns: Columns, malformed: list[int], *, name: str, until: float | None) -> EventTable:
    moment, made_up = moments(columns)
    rows = kept_rows(unusable(columns, moment), moment, malformed, name=name, until=until)
    kept = columns if rows.is_whole else {column: values[rows.places] for column, values in columns.items()}
    strange = int((kept["asn_given"] & ~((kept["asn"] > 0) & (kept["asn"] <= MAX_ASN))).sum())
    notes = notes_of(set(kept["user_id"]), strange=strange, made_up=made_up)
    return EventTable(
        **_fields(kept, moment[rows.places]),
        row_order=rows.row_order,
        dropped=rows.dropped,
        rows_in_file=rows.rows_in_file,
        held_back=rows.held_back,
        notes=notes,
    )


def _fields(kept: Columns, moment: NDArray[np.float64]) -> dict[str, Any]:
    texts = [name for name in TEXTS if name not in (*_OPTIONAL, "event_id")]
    fields: dict[str, Any] = {name: kept[name] for name in texts}
    fields["timestamp"] = moment
    fields["success"] = kept["success"]
    fields["asn"] = np.where((kept["asn"] > 0) & (kept["asn"] <= MAX_ASN), kept["asn"], 0).astype(np.int64)
    fields["ip_rep"] = np.where((kept["ip_rep"] >= 0) & (kept["ip_rep"] <= 100), kept["ip_rep"], np.nan)
    fields["rtt_ms"] = np.where(kept["rtt_ms"] >= 0, kept["rtt_ms"], np.nan)
    present = {name for name in texts if fields[name].any()} | {"timestamp"}
    present |= {"success"} if kept["success_given"].any() else set()
    present |= {"asn"} if fields["asn"].any() else set()
    present |= {name for name in ("ip_rep", "rtt_ms") if not np.isnan(fields[name]).all()}
    for name in _OPTIONAL:
        fields[name] = kept[name] if kept[name].any() else None
        present |= {name} if fields[name] is not None else set()
    return fields | {"present": frozenset(present)}


def notes_of(users: Iterable[str], *, strange: int, made_up: bool) -> tuple[str, ...]:
    """What to know about a log with these people's ids and so many AS numbers that are none."""
    notes = []
    if made_up:
        notes.append("timestamps are only mm:ss: file order is kept and the first hour is taken as 2020-02-03T12:00Z")
    shortened = sum(_SHORTENED_ID.fullmatch(user) is not None for user in users)
    if shortened:
        notes.append(f"{shortened} user ids look like 4.32E+18: digits were lost, so people may share an id")
    if strange:
        notes.append(f"{strange} AS numbers cannot be read and are taken as missing")
    return tuple(notes)
