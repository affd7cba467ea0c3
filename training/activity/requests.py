"""Rows of an activity log as bodies of `POST /assess`: JSON lines, or flat CSV and Parquet."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from pyarrow import parquet

from risk_scorer.contract.activity import AssessRequest
from training.refusals import WrongInputError

ROWS_AT_ONCE = 20_000
REQUIRED = ("timestamp", "user_id", "session_id", "endpoint")

Rows = Iterator[tuple[AssessRequest, int]]
"""Requests, each with the AS number that the log has of it, 0 for none."""


def _from_lines(path: Path) -> Rows:
    decoder = msgspec.json.Decoder(AssessRequest)
    with path.open("rb") as file:
        for line in file:
            yield decoder.decode(line), 0


def _from_table(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames is not None:
            _check_names(reader.fieldnames, path)
        for row in reader:
            yield _request(row), int(row.get("asn") or 0)


def _from_columns(path: Path) -> Rows:
    with parquet.ParquetFile(path) as file:
        _check_names(file.schema_arrow.names, path)
        for batch in file.iter_batches(ROWS_AT_ONCE):
            for row in batch.to_pylist():
                yield _request(row), int(row.get("asn") or 0)


def _check_names(names: Sequence[str], path: Path) -> None:
    """Raises WrongInputError("unknown_columns")."""
    lacking = [name for name in REQUIRED if name not in names]
    if lacking:
        raise WrongInputError("unknown_columns", f"{path.name} lacks {', '.join(lacking)}")
    if len(set(names)) < len(names):
        raise WrongInputError("unknown_columns", f"a column of {path.name} stands twice")


def _request(row: Mapping[str, Any]) -> AssessRequest:
    changed = row.get("new_roles") or row.get("new_privileges")
    body = {
        "identity": {
            **{name: row[name] or "" for name in ("user_id", "session_id")},
            **{name: row.get(name) or "" for name in ("device_id", "ip", "geo", "user_agent")},
            "ja4": row.get("ja4") or None,
            "roles": (row.get("roles") or "").split(),
            "privileges": (row.get("privileges") or "").split(),
            "timestamp": row["timestamp"],
        },
        "event": {
            "endpoint": row["endpoint"],
            "method": row.get("method") or "GET",
            "status_code": int(row["status_code"]) if row.get("status_code") else None,
            "latency_ms": float(row["latency_ms"]) if row.get("latency_ms") else None,
            "bytes_in": int(row.get("bytes_in") or 0),
            "bytes_out": int(row.get("bytes_out") or 0),
            **{name: row.get(name) or "" for name in ("service", "trace_id", "event_type")},
        },
        "privilege_change": {
            name: (row.get(name) or "").split()
            for name in ("previous_roles", "new_roles", "previous_privileges", "new_privileges")
        }
        if changed
        else None,
        "event_id": row.get("event_id") or None,
    }
    return msgspec.convert(body, AssessRequest)


READERS: Mapping[str, Callable[[Path], Rows]] = {".jsonl": _from_lines, ".csv": _from_table, ".parquet": _from_columns}
