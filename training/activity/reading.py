"""Reads an activity log as the engine sees it, JSON lines of `POST /assess` or flat CSV and Parquet, and its labels."""

import collections
import csv
import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from pyarrow import ArrowInvalid, parquet

from plumbing.refusals import Refused
from risk_scorer.contract.activity import AssessRequest, PrivilegeChange
from risk_scorer.core.activity.seen import (
    Change,
    Seen,
    SessionFacts,
    action_of,
    endpoint_template,
    object_of,
    peers_of,
)
from risk_scorer.core.observation import BadEvent, canonical_address, moment, prefix_of
from training.lookups import Lookups
from training.refusals import WrongInputError

SESSIONS_KEPT = 100_000
"""What so many sessions began with is remembered; later events of older ones begin anew."""
ROWS_AT_ONCE = 20_000
HELD_EVENTS = 400_000
"""A log of up to so many events is read once and held."""


@dataclass(frozen=True)
class Label:
    """What is true of a session; `is_synthetic` when it was invented."""

    kind: str
    is_attack: bool
    hostile: frozenset[str]
    is_synthetic: bool = False


class ActivityLog:
    """The events of a log in order of time, as often as they are asked for."""

    def __init__(self, path: Path, lookups: Lookups) -> None:
        """Raises WrongInputError: no_such_file, bad_format."""
        if not path.is_file():
            raise WrongInputError("no_such_file", f"there is no file {path}")
        if path.suffix not in _READERS:
            raise WrongInputError("bad_format", f"{path.name}: an activity log is one of {', '.join(sorted(_READERS))}")
        self.path = path
        self._lookups = lookups
        self._held: list[Seen] | None = None

    def __iter__(self) -> Iterator[Seen]:
        """Raises WrongInputError: bad_row, not_in_order."""
        if self._held is not None:
            yield from self._held
            return
        held: list[Seen] | None = []
        for seen in _read(self.path, self._lookups):
            if held is not None:
                held.append(seen)
                held = held if len(held) <= HELD_EVENTS else None
            yield seen
        self._held = held

    def sha256(self) -> str:
        """The digest of the file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def labels_of(path: Path) -> dict[str, Label]:
    """Labels by session, of the sessions that have one. Raises WrongInputError: no_such_file, bad_labels."""
    if not path.is_file():
        raise WrongInputError("no_such_file", f"there is no file {path}")
    try:
        lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines() if line]
        return {
            line["session_id"]: Label(
                line["kind"], line["label"] == "attack", frozenset(line["hostile"]), bool(line.get("synthetic"))
            )
            for line in lines
        }
    except (msgspec.MsgspecError, UnicodeError, KeyError, TypeError) as cause:
        raise WrongInputError("bad_labels", f"{path.name} holds no labels as `simulate` writes them") from cause


def _read(path: Path, lookups: Lookups) -> Iterator[Seen]:
    began: collections.OrderedDict[str, SessionFacts] = collections.OrderedDict()
    before = -math.inf
    number = 0
    try:
        for number, (request, asn) in enumerate(_READERS[path.suffix](path), 1):
            seen = seen_of(request, lookups, asn=asn, number=number)
            facts = began.get(seen.session_id)
            if facts is None:
                facts = began[seen.session_id] = _facts(seen)
                if len(began) > SESSIONS_KEPT:
                    began.popitem(last=False)
            if seen.ts < before:
                raise WrongInputError("not_in_order", f"row {number} of {path.name} is earlier than the one before it")
            before = seen.ts
            yield msgspec.structs.replace(seen, began=facts)
    except (BadEvent, Refused, msgspec.MsgspecError, ValueError, KeyError, ArrowInvalid) as cause:
        if isinstance(cause, WrongInputError):
            raise
        raise WrongInputError("bad_row", f"row {number + 1} of {path.name} is no event that can be read") from cause


def seen_of(request: AssessRequest, lookups: Lookups, *, asn: int = 0, number: int = 0) -> Seen:
    """One event with what is looked up of it. An `asn` that the log has outranks the tables. Raises BadEvent."""
    who, done, change = request.identity, request.event, request.privilege_change
    ts = moment(done.timestamp if done.timestamp is not None else who.timestamp, now=math.nan)
    address = canonical_address(who.ip) if who.ip else ""
    network, agent, _ = lookups.facts(address, who.user_agent, "")
    template = endpoint_template(done.endpoint)
    return Seen(
        ts=ts,
        event_id=request.event_id or str(number),
        user_id=who.user_id,
        session_id=who.session_id,
        endpoint=template,
        action=action_of(done.method, template),
        method=done.method,
        status=done.status_code or 0,
        latency_ms=math.nan if done.latency_ms is None else done.latency_ms,
        bytes_in=done.bytes_in,
        bytes_out=done.bytes_out,
        service=done.service,
        trace_id=done.trace_id,
        event_type=done.event_type,
        device_id=who.device_id,
        ip=address,
        prefix=network.prefix or (prefix_of(address) if address else ""),
        asn=asn or network.asn,
        country=who.geo or network.country,
        browser=agent.browser,
        os=agent.os,
        device_type=agent.device_type,
        ja4=who.ja4 or "",
        roles=who.roles,
        privileges=who.privileges,
        peers=peers_of(who.roles),
        change=None if change is None else _change(change, ts),
        object_id=object_of(done.endpoint),
        latitude=math.nan if network.latitude is None else network.latitude,
        longitude=math.nan if network.longitude is None else network.longitude,
    )  # fmt: skip


def _change(told: PrivilegeChange, ts: float) -> Change:
    return Change(
        ts=ts,
        previous_roles=told.previous_roles,
        new_roles=told.new_roles,
        previous_privileges=told.previous_privileges,
        new_privileges=told.new_privileges,
    )


def _facts(seen: Seen) -> SessionFacts:
    return SessionFacts(
        ip=seen.ip, prefix=seen.prefix, asn=seen.asn, country=seen.country, browser=seen.browser, os=seen.os,
        device_type=seen.device_type, device_id=seen.device_id, ja4=seen.ja4, started_at=seen.ts,
    )  # fmt: skip


_Read = Iterator[tuple[AssessRequest, int]]


def _from_lines(path: Path) -> _Read:
    decoder = msgspec.json.Decoder(AssessRequest)
    with path.open("rb") as file:
        for line in file:
            yield decoder.decode(line), 0


def _from_table(path: Path) -> _Read:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield _request(row), int(row.get("asn") or 0)


def _from_columns(path: Path) -> _Read:
    for batch in parquet.ParquetFile(path).iter_batches(ROWS_AT_ONCE):
        for row in batch.to_pylist():
            yield _request(row), int(row.get("asn") or 0)


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


_READERS = {".jsonl": _from_lines, ".csv": _from_table, ".parquet": _from_columns}
