"""From a log's typed batches to coded columns in time order: the same rows as `training.sources` keeps, for less room.

What is read, what is dropped and why is told in `log_schemas` and `log_rows`; a test holds both readers together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow
from numba import njit
from numpy.typing import NDArray

from training.columns.growing import Growing
from training.columns.log import OPTIONAL, CodedLog
from training.columns.texts import Codes, Texts
from training.engines import Log
from training.log_rows import UNUSABLE, Columns, Kept, canonical, kept_rows, moments, numbers, repeated
from training.log_schemas import TEXTS
from training.refusals import WrongInputError
from training.sources import MAX_ASN, notes_of, require_columns

Mask = NDArray[np.bool_]
CODED = tuple(name for name in TEXTS if name != "event_id")


def coded_log(log: Log, *, until: float | None = None) -> CodedLog:
    """The usable rows of a log before `until` (epoch seconds). Raises WrongInputError as `sources.events_of` does."""
    texts = {name: Texts() for name in CODED}
    with log.batches() as batches:
        columns = _gathered(batches, texts)
        malformed = batches.malformed_rows()
    if not columns and not malformed:
        raise WrongInputError("empty_file", f"{log.path.name} has a header and no rows")
    if not columns:
        raise WrongInputError("no_usable_rows", f"none of the {len(malformed)} rows of {log.path.name} can be parsed")
    require_columns(columns, log.path.name)
    return _ordered(columns, texts, malformed, name=log.path.name, until=until)


def _gathered(batches: Iterable[Any], texts: dict[str, Texts]) -> Columns:
    """Every batch's columns end to end; `odd` marks rows with a text that the scoring service would refuse."""
    grown: dict[str, Growing] = {}
    for batch in batches:
        found: Columns = {name: _in_little(texts[name].coded(batch.column(name))) for name in CODED}
        found["odd"] = _in_little(_unusable(batch.column("event_id"), TEXTS["event_id"]))
        found["moment"] = numbers(batch.column("moment"), np.nan)
        found["hour_clock"] = numbers(batch.column("hour_clock"), np.nan)
        found["asn"] = _asn(numbers(batch.column("asn"), 0))
        for name in ("ip_rep", "rtt_ms"):
            found[name] = numbers(batch.column(name), np.nan)
        success = batch.column("success")
        found["success_known"] = success.is_valid().to_numpy(zero_copy_only=False)
        found["success"] = success.fill_null(False).to_numpy(zero_copy_only=False)
        for name in ("success_given", "asn_given"):
            found[name] = batch.column(name).fill_null(False).to_numpy(zero_copy_only=False)
        found["fingerprint"] = batch.column("fingerprint").to_numpy(zero_copy_only=False)
        for name, values in found.items():
            grown.setdefault(name, Growing()).add(values)
    columns = {name: each.array() for name, each in grown.items()}
    if columns and not columns["success_given"].any():
        columns["success"] = columns["success_known"] = np.broadcast_to(np.array([True]), (len(columns["moment"]),))
    return columns


def _in_little(values: NDArray[Any]) -> NDArray[Any]:
    """Nothing but zeros takes no room."""
    return values if values.any() else np.broadcast_to(np.zeros(1, values.dtype), (len(values),))


def _asn(values: NDArray[Any]) -> NDArray[np.int64]:
    """In 33 bits that are kept as 64: -1 for what is no number of an operator and was given as one."""
    return np.where((values >= 0) & (values <= MAX_ASN), values, -1).astype(np.int64)


def _ordered(
    columns: Columns, texts: dict[str, Texts], malformed: list[int], *, name: str, until: float | None
) -> CodedLog:
    moment, made_up = moments(columns)
    del columns["hour_clock"], columns["moment"]
    rows = kept_rows(_reasons(columns, texts, moment), moment, malformed, name=name, until=until)
    kept: Columns = {}
    for column in [each for each in columns if each not in ("odd", "fingerprint", "success_known")]:
        values = columns.pop(column)
        if not rows.is_whole:
            values = values[rows.places] if values.strides != (0,) else values[: len(rows.places)]
        kept[column] = values
    return _log(kept, texts, moment if rows.is_whole else moment[rows.places], rows, made_up=made_up)


def _log(kept: Columns, texts: dict[str, Texts], moment: Any, rows: Kept, *, made_up: bool) -> CodedLog:
    asn = np.maximum(kept["asn"], 0)
    ip_rep = _within(kept["ip_rep"], 0, 100)
    rtt_ms = _within(kept["rtt_ms"], 0, np.inf)
    present = {name for name in CODED if kept[name].any()} | {"timestamp"}
    present |= {"success"} if kept["success_given"].any() else set()
    present |= {"asn"} if asn.any() else set()
    present |= {name for name, values in (("ip_rep", ip_rep), ("rtt_ms", rtt_ms)) if not np.isnan(values).all()}
    strange = int((kept["asn_given"] & (kept["asn"] <= 0)).sum())
    users = texts["user_id"].texts(np.flatnonzero(np.bincount(kept["user_id"])).tolist())
    optional = frozenset(name for name in OPTIONAL if kept[name].any())
    return CodedLog(
        timestamp=moment,
        success=np.array(kept["success"]),
        asn=asn,
        ip_rep=ip_rep,
        rtt_ms=rtt_ms,
        codes={name: kept[name] for name in CODED},
        texts=texts,
        row_order=rows.row_order,
        present=frozenset(present),
        dropped=rows.dropped,
        rows_in_file=rows.rows_in_file,
        held_back=rows.held_back,
        notes=notes_of(users, strange=strange, made_up=made_up),
        optional=optional,
    )


def _within(values: NDArray[np.float64], least: float, most: float) -> NDArray[np.float64]:
    """NaN for what is outside; a column that the log lacks still takes no room."""
    if values.strides == (0,):
        return np.broadcast_to(_within(values[:1].copy(), least, most), values.shape)
    return np.where((values >= least) & (values <= most), values, np.nan)


def _reasons(columns: Columns, texts: dict[str, Texts], moment: NDArray[np.float64]) -> dict[str, Mask]:
    """As `log_rows.unusable`, asked of each distinct text once."""
    columns["ip"], bad_ip = _addresses(columns["ip"], texts["ip"])
    odd: Mask = columns["odd"] | False
    for name in CODED:
        wrong = _unusable(texts[name].arrow(), TEXTS[name]) if name != "ip" else None
        if wrong is not None and wrong.any():
            odd |= wrong[columns[name]]
    empty = columns["user_id"] == 0
    checks = {
        "malformed_row": empty & bad_ip & np.isnan(moment),
        "bad_timestamp": np.isnan(moment),
        "missing_user": empty,
        "bad_ip": bad_ip,
        "bad_success": ~columns["success_known"],
        "unusable_text": odd,
    }
    taken = np.zeros(len(moment), bool)
    reasons: dict[str, Mask] = {}
    for reason, rows in checks.items():
        reasons[reason] = rows & ~taken
        taken |= rows
    reasons["duplicate"] = ~taken & repeated(columns["fingerprint"], moment, ~taken)
    return reasons


def _addresses(codes: Codes, texts: Texts) -> tuple[Codes, Mask]:
    """The rows' addresses in canonical form, and which rows have none."""
    ends, content = texts.raw()
    plain = np.zeros(len(texts), bool)
    _plain_v4(ends, content, plain)
    odd = np.flatnonzero(~plain)
    canonical_code = np.arange(len(texts), dtype=np.int32)
    bad = np.zeros(len(texts), bool)
    bad[0] = True
    for code in odd.tolist():
        text = canonical(texts.text(code))
        if text in (UNUSABLE, ""):
            bad[code] = True
        else:
            canonical_code[code] = texts.code(text)
    if (canonical_code != np.arange(len(canonical_code))).any():
        codes = canonical_code[codes] if not bad.any() else np.where(bad[codes], codes, canonical_code[codes])
    return codes, bad[np.minimum(codes, len(bad) - 1)] & (codes < len(bad))


def _unusable(column: Any, longest: int) -> Mask:
    """Which texts are longer than that (in characters) or hold a NUL."""
    ends, content = column.cast(pyarrow.large_string()).buffers()[1:]
    places = np.frombuffer(ends, np.int64)[column.offset : column.offset + len(column) + 1] if len(column) else None
    found = np.zeros(len(column), bool)
    if places is not None and content is not None:
        _too_long(places, np.frombuffer(content, np.uint8), longest, found)
    return found


@njit(cache=True, nogil=True)
def _too_long(ends: Any, content: Any, longest: int, found: Any) -> None:
    for row in range(found.shape[0]):
        signs = 0
        for at in range(ends[row], ends[row + 1]):
            found[row] |= content[at] == 0
            signs += (content[at] & 0xC0) != 0x80  # not a later byte of a sign
        found[row] |= signs > longest


@njit(cache=True, nogil=True)
def _plain_v4(ends: Any, content: Any, plain: Any) -> None:
    """Four numbers up to 255 without leading zeros, and points between them."""
    for row in range(plain.shape[0]):
        dots, digits, value, good = 0, 0, 0, True
        for at in range(ends[row], ends[row + 1]):
            sign = content[at]
            if sign == 46:
                good &= digits > 0
                dots, digits, value = dots + 1, 0, 0
            elif 48 <= sign <= 57:
                good &= not (digits > 0 and value == 0)
                digits, value = digits + 1, value * 10 + (sign - 48)
                good &= value <= 255
            else:
                good = False
        plain[row] = good and dots == 3 and digits > 0
