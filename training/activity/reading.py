"""Reads an activity log as the engine sees it, and its labels."""

import collections
import csv
import hashlib
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from plumbing.refusals import Refused
from risk_scorer.contract.activity import AssessRequest, PrivilegeChange
from risk_scorer.core.activity.seen import (
    UNKNOWN_LATENCY,
    Change,
    Seen,
    SessionFacts,
    action_of,
    endpoint_template,
    object_of,
    peers_of,
)
from risk_scorer.core.observation import BadEvent, canonical_address, moment, prefix_of
from risk_scorer.flows.activity.observe import LONGEST_LATENCY_MS, facts_of
from training.activity.requests import READERS
from training.lookups import Lookups
from training.refusals import WrongInputError

SESSIONS_KEPT = 100_000
"""What so many sessions began with is remembered; later events of older ones begin anew."""
_NO_EVENT = (BadEvent, Refused, msgspec.MsgspecError, csv.Error, ArithmeticError, AttributeError, TypeError, ValueError)
"""What a row says to being read as an event; columns of Parquet have any type."""
_SAID = tuple(
    name
    for name in Seen.__struct_fields__
    if name not in ("event_id", "action", "peers", "began", "latitude", "longitude")
)
"""What a digest is about. Not the id: where an event came without one, the scorer gave it another than the file."""
HELD_EVENTS = 400_000
"""A log of up to so many events is read once and held."""


@dataclass(frozen=True)
class Label:
    """What is true of a session; `is_synthetic` when it was invented."""

    kind: str
    is_attack: bool
    hostile: frozenset[str]
    is_synthetic: bool = False


class Events:
    """Events in order of time, as often as they are asked for; `name` is what people call where they come from."""

    def __init__(self, name: str, read: Callable[[], Iterator[Seen]]) -> None:
        self.name = name
        self._read = read
        self._held: list[Seen] | None = None

    def __iter__(self) -> Iterator[Seen]:
        """Raises WrongInputError."""
        if self._held is not None:
            yield from self._held
            return
        held: list[Seen] | None = []
        for seen in begun(self._read()):
            if held is not None:
                held.append(seen)
                held = held if len(held) <= HELD_EVENTS else None
            yield seen
        self._held = held

    def sha256(self) -> str:
        """The digest of what the events say, the same from a file and from where a scorer kept them."""
        total, encode = hashlib.sha256(), msgspec.msgpack.Encoder().encode
        for each in self:
            total.update(encode([getattr(each, name) for name in _SAID]))
        return total.hexdigest()


class ActivityLog(Events):
    """The events of a file."""

    def __init__(self, path: Path, lookups: Lookups) -> None:
        """Raises WrongInputError: no_such_file, not_a_file, bad_format; while it is read: bad_row, not_in_order,
        unknown_columns, unreadable_file."""
        _require_file(path)
        if path.suffix not in READERS:
            raise WrongInputError("bad_format", f"{path.name}: an activity log is one of {', '.join(sorted(READERS))}")
        super().__init__(path.name, lambda: _read(path, lookups))


def begun(events: Iterable[Seen]) -> Iterator[Seen]:
    """The events, each with what its session began with: its first event."""
    began: collections.OrderedDict[str, SessionFacts] = collections.OrderedDict()
    for seen in events:
        facts = began.get(seen.session_id)
        if facts is None:
            facts = began[seen.session_id] = facts_of(seen)
            if len(began) > SESSIONS_KEPT:
                began.popitem(last=False)
        yield msgspec.structs.replace(seen, began=facts)


class _Line(msgspec.Struct):
    session_id: str
    kind: str
    label: Literal["attack", "benign"]
    hostile: tuple[str, ...]
    synthetic: bool = False


def labels_of(path: Path) -> dict[str, Label]:
    """Labels by session, of those that have one. Raises WrongInputError: no_such_file, not_a_file, bad_labels."""
    _require_file(path)
    number, found = 0, dict[str, Label]()
    try:
        with path.open("rb") as file:
            for text in file:
                number += 1
                line = msgspec.json.decode(text, type=_Line)
                found[line.session_id] = Label(
                    line.kind, line.label == "attack", frozenset(line.hostile), line.synthetic
                )
    except (msgspec.MsgspecError, UnicodeError) as cause:
        raise WrongInputError(
            "bad_labels", f"line {number} of {path.name} is no label as `simulate` writes them"
        ) from cause
    except OSError as cause:
        raise _unreadable(path, cause) from cause
    return found


def _require_file(path: Path) -> None:
    if not path.exists():
        raise WrongInputError("no_such_file", f"there is no file {path}")
    if not path.is_file():
        raise WrongInputError("not_a_file", f"{path} is not a regular file")


def _unreadable(path: Path, cause: OSError) -> WrongInputError:
    return WrongInputError("unreadable_file", f"{path.name} cannot be read: {cause.strerror or 'no reason given'}")


def _read(path: Path, lookups: Lookups) -> Iterator[Seen]:
    before = -math.inf
    number = 1
    try:
        for request, asn in READERS[path.suffix](path):
            seen = seen_of(request, lookups, asn=asn, number=number)
            if seen.ts < before:
                raise WrongInputError("not_in_order", f"row {number} of {path.name} is earlier than the one before it")
            before = seen.ts
            yield seen
            number += 1
    except _NO_EVENT as cause:
        why = f": {cause}" if isinstance(cause, BadEvent | msgspec.ValidationError) else ""
        raise WrongInputError("bad_row", f"row {number} of {path.name} is no event that can be read{why}") from cause
    except OSError as cause:
        raise _unreadable(path, cause) from cause


def seen_of(request: AssessRequest, lookups: Lookups, *, asn: int = 0, number: int = 0) -> Seen:
    """One event with what is looked up of it, as live scoring would. An `asn` that the log has outranks the tables, and
    its country with it. Raises BadEvent."""
    who, done, change = request.identity, request.event, request.privilege_change
    given = who.timestamp if done.timestamp is None else done.timestamp
    if given is None:
        raise BadEvent("invalid_timestamp", "$.event.timestamp", "it has no timestamp")
    ts = moment(given, now=math.nan)
    if any("\0" in text for text in (who.user_id, who.session_id, done.endpoint)):
        raise BadEvent("invalid_text", "$", "texts must not contain NUL")
    address = canonical_address(who.ip) if who.ip else ""
    network, agent, _ = lookups.facts(address, who.user_agent, "")
    method, template, latency = done.method.upper(), endpoint_template(done.endpoint), done.latency_ms
    return Seen(
        ts=ts,
        event_id=request.event_id or str(number),
        user_id=who.user_id,
        session_id=who.session_id,
        endpoint=template,
        action=action_of(method, template),
        method=method,
        status=done.status_code or 0,
        latency_ms=UNKNOWN_LATENCY if latency is None or latency > LONGEST_LATENCY_MS else latency,
        bytes_in=done.bytes_in,
        bytes_out=done.bytes_out,
        service=done.service,
        trace_id=done.trace_id,
        event_type=done.event_type,
        device_id=who.device_id,
        ip=address,
        prefix=network.prefix or (prefix_of(address) if address else ""),
        asn=asn or network.asn,
        country=(who.geo or network.country) if asn else (network.country or who.geo),
        browser=agent.browser,
        os=agent.os,
        device_type=agent.device_type if who.user_agent else "",
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
        ts=ts if told.timestamp is None else moment(told.timestamp, now=ts),
        previous_roles=told.previous_roles,
        new_roles=told.new_roles,
        previous_privileges=told.previous_privileges,
        new_privileges=told.new_privileges,
    )
