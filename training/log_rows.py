"""From typed batches to whole columns: what is usable stays, what is not is counted by its reason."""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.log_schemas import TEXTS
from training.refusals import WrongInputError

Objects = NDArray[np.object_]
Columns = dict[str, NDArray[Any]]

HOUR_SECONDS = 3600.0
HOUR_CLOCK_ANCHOR = 1_580_731_200.0
"""2020-02-03T12:00:00Z, the hour the RBA data set starts in: where a log that only keeps `mm:ss` is placed."""

UNUSABLE = "\0unusable"
"""Stands for a text that the scoring service would refuse. It cannot be a value: NUL is refused everywhere."""

_EARLIEST = 946_684_800.0  # 2000-01-01: nothing older is a web login
_LATEST = 4_102_444_800.0  # 2100-01-01
_NUMBERS = {"moment": np.nan, "hour_clock": np.nan, "asn": 0, "ip_rep": np.nan, "rtt_ms": np.nan}


def gathered(batches: Iterable[Any]) -> Columns:
    """Every batch's columns end to end, equal texts sharing one object; what is unusable becomes UNUSABLE."""
    texts = {name: _Interned(_usable(limit)) for name, limit in TEXTS.items() if name != "ip"}
    addresses = _Interned(canonical)
    parts: dict[str, list[NDArray[Any]]] = {}
    for batch in batches:
        plain = batch.column("ip_is_plain_v4").to_numpy(zero_copy_only=False)
        found: Columns = {name: texts[name].column(batch.column(name)) for name in texts}
        found["ip"] = addresses.column(batch.column("ip"), trusted=plain)
        for name, missing in _NUMBERS.items():
            found[name] = numbers(batch.column(name), missing)
        success = batch.column("success")
        found["success_known"] = success.is_valid().to_numpy(zero_copy_only=False)
        found["success"] = success.fill_null(False).to_numpy(zero_copy_only=False)
        found["success_given"] = batch.column("success_given").fill_null(False).to_numpy(zero_copy_only=False)
        found["asn_given"] = batch.column("asn_given").fill_null(False).to_numpy(zero_copy_only=False)
        found["fingerprint"] = batch.column("fingerprint").to_numpy(zero_copy_only=False)
        for name, values in found.items():
            parts.setdefault(name, []).append(values)
    columns = {name: end_to_end(parts.pop(name)) for name in list(parts)}
    if columns and not columns["success_given"].any():
        # A log without outcomes is a log of finished logins, as an event without one is.
        columns["success"][:] = columns["success_known"][:] = True
    return columns


def numbers(values: Any, missing: float) -> NDArray[Any]:
    """An Arrow column of numbers with `missing` where there is none."""
    if values.null_count == len(values):
        return np.broadcast_to(np.array([missing], np.float64 if np.isnan(missing) else np.int64), (len(values),))
    numbers: NDArray[Any] = values.fill_null(missing).to_numpy(zero_copy_only=False)
    return numbers


def end_to_end(pieces: list[NDArray[Any]]) -> NDArray[Any]:
    """One array of the pieces; one value all over takes no room, as in a column that the log lacks."""
    if all(piece.strides == (0,) and str(piece[0]) == str(pieces[0][0]) for piece in pieces):
        return np.broadcast_to(pieces[0][:1], (sum(map(len, pieces)),))
    return np.concatenate(pieces)


class _Interned:
    """Texts of one column: each distinct one is checked once and kept once, however many rows repeat it."""

    def __init__(self, checked: Callable[[str], str]) -> None:
        self._checked = checked
        self._known: dict[str, str] = {}

    def column(self, values: Any, *, trusted: NDArray[np.bool_] | None = None) -> Objects:
        """`values` as objects. `trusted` rows are known to be in canonical form and are taken as they are."""
        coded = values.dictionary_encode()
        places = coded.indices.to_numpy(zero_copy_only=False)
        distinct = coded.dictionary.to_pylist()
        sure = np.zeros(len(distinct), bool)
        if trusted is not None:
            sure[places[trusted]] = True
        kept = np.empty(len(distinct), object)
        for place, text in enumerate(distinct):
            if text not in self._known:
                self._known[text] = text if sure[place] else self._checked(text)
            kept[place] = self._known[text]
        if len(distinct) == 1:
            return np.broadcast_to(kept, (len(places),))
        result: Objects = kept[places]
        return result


def _usable(longest: int) -> Callable[[str], str]:
    return lambda text: text if len(text) <= longest and "\0" not in text else UNUSABLE


def canonical(text: str) -> str:
    """The canonical form of an IP address, "" for "", else UNUSABLE. IPv4 written inside IPv6 is that IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return UNUSABLE if text else ""
    inner = getattr(address, "ipv4_mapped", None)
    return str(inner or address)


def moments(columns: Columns) -> tuple[NDArray[np.float64], bool]:
    """Epoch seconds of every row (NaN where there is none), and whether they had to be made up from `mm:ss` alone.

    A log without a single full timestamp keeps its file order: the hour moves on when the clock falls back by more than
    half an hour, and smaller steps back are levelled.
    """
    full = columns["moment"].astype(np.float64)
    full[~((full >= _EARLIEST) & (full < _LATEST))] = np.nan
    clock = columns["hour_clock"]
    known = ~np.isnan(clock)
    if not np.isnan(full).all() or not known.any():
        return full, False
    seconds = clock[known]
    hours = np.concatenate([[0.0], np.cumsum(np.diff(seconds) < -HOUR_SECONDS / 2)])
    made_up = np.full(len(clock), np.nan)
    made_up[known] = np.maximum.accumulate(HOUR_CLOCK_ANCHOR + hours * HOUR_SECONDS + seconds)
    return made_up, True


def unusable(columns: Columns, moment: NDArray[np.float64]) -> dict[str, NDArray[np.bool_]]:
    """For each reason, which rows cannot be used because of it: the first that holds, so a row is counted once."""
    empty = _equals(columns["user_id"], "")
    strange_ip = _equals(columns["ip"], UNUSABLE) | _equals(columns["ip"], "")
    texts = np.logical_or.reduce([_equals(columns[name], UNUSABLE) for name in TEXTS if name != "ip"])
    checks = {
        "malformed_row": empty & strange_ip & np.isnan(moment),
        "bad_timestamp": np.isnan(moment),
        "missing_user": empty,
        "bad_ip": strange_ip,
        "bad_success": ~columns["success_known"],
        "unusable_text": texts,
    }
    taken = np.zeros(len(moment), bool)
    reasons: dict[str, NDArray[np.bool_]] = {}
    for reason, rows in checks.items():
        reasons[reason] = rows & ~taken
        taken |= rows
    reasons["duplicate"] = ~taken & repeated(columns["fingerprint"], moment, ~taken)
    return reasons


@dataclass(frozen=True)
class Kept:
    """Which rows of a log are used: their `places` among those that were parsed, in time order (ties keep the log's).

    `row_order` are their places in the log, `is_whole` says that all rows are used as they stand.
    """

    places: NDArray[np.int64]
    row_order: NDArray[np.int64]
    is_whole: bool
    dropped: dict[str, int]
    rows_in_file: int
    held_back: int


def kept_rows(
    reasons: dict[str, NDArray[np.bool_]],
    moment: NDArray[np.float64],
    malformed: Sequence[int],
    *,
    name: str,
    until: float | None,
) -> Kept:
    """The rows that no reason is against, before `until`. Raises WrongInputError("no_usable_rows")."""
    dropped = {reason: int(rows.sum()) for reason, rows in reasons.items()}
    dropped["malformed_row"] += len(malformed)
    dropped = {reason: count for reason, count in dropped.items() if count}
    usable = ~np.logical_or.reduce(list(reasons.values()))
    wanted = usable if until is None else usable & (moment < until)
    if not wanted.any():
        why = ", ".join(f"{reason} {count}" for reason, count in dropped.items()) or "all are too late"
        raise WrongInputError("no_usable_rows", f"no row of {name} can be used: {why}")
    places = np.flatnonzero(wanted)
    places = places[np.argsort(moment[places], kind="stable")]
    rows_in_file = len(moment) + len(malformed)
    return Kept(
        places=places,
        row_order=np.setdiff1d(np.arange(rows_in_file), malformed)[places] if malformed else places,
        is_whole=len(places) == len(moment) and bool((places[1:] > places[:-1]).all()),
        dropped=dropped,
        rows_in_file=rows_in_file,
        held_back=int((usable & ~wanted).sum()),
    )


def _equals(values: NDArray[Any], text: str) -> NDArray[np.bool_]:
    return np.asarray(values == text, bool)


def repeated(
    fingerprint: NDArray[np.uint64], moment: NDArray[np.float64], among: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Rows equal to an earlier row in every column that was read (by a 64-bit hash) and in their moment."""
    keys = fingerprint ^ (moment.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    keys = keys[among]
    _, first = np.unique(keys, return_index=True)
    is_again = np.ones(len(keys), bool)
    is_again[first] = False
    repeated = np.zeros(len(among), bool)
    repeated[among] = is_again
    return repeated
