"""Writes the invented log, its format told by the file's name, and beside it what is true of its sessions."""

import collections
import contextlib
import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pyarrow
from pyarrow import parquet

from training.activity.event import Event, Session
from training.activity.log import SYNTHETIC, Plan, events
from training.activity.rows import COLUMNS, FRACTIONS, WHOLE, assess_body, flat, label
from training.outputs import replaced_whole
from training.refusals import WrongInputError

ROWS_AT_ONCE = 50_000
Progress = Callable[[str, float], None]


class Sink(Protocol):
    """Takes events in order; `end` writes what is still held, and closes."""

    def add(self, event: Event) -> None: ...
    def end(self) -> None: ...


def labels_beside(out: Path) -> Path:
    """Where the labels of a log lie: in a file of their own."""
    return out.with_name(f"{out.name.split('.')[0]}.labels.jsonl")


def simulate(plan: Plan, out: Path, progress: Progress) -> dict[str, Any]:
    """Write log and labels, whole or not at all; what was written. The same plan gives the same bytes.

    Raises WrongInputError: bad_format, unwritable_output.
    """
    if _kind(out) not in _SINKS:
        raise WrongInputError("bad_format", f"{out.name}: the log is written as {', '.join(sorted(_SINKS))}")
    rows, kinds, attacks = 0, collections.Counter[str](), 0
    encode = msgspec.json.Encoder().encode
    with contextlib.ExitStack() as stack:
        draft = stack.enter_context(replaced_whole(out))
        labels = stack.enter_context(replaced_whole(labels_beside(out)))
        told = stack.enter_context(labels.open("wb"))

        def tell(session: Session) -> None:
            nonlocal attacks
            kinds[session.kind or "ordinary"] += 1
            attacks += session.is_attack
            line = label(session)
            if line is not None:
                told.write(encode(line) + b"\n")

        sink = stack.enter_context(_SINKS[_kind(out)](draft))
        for rows, event in enumerate(events(plan, tell), 1):
            sink.add(event)
            if rows % ROWS_AT_ONCE == 0:
                progress("simulate", min(1.0, rows / plan.rows))
    sessions = sum(kinds.values())
    return {
        "written": str(out), "labels": str(labels_beside(out)), "note": SYNTHETIC, "rows": rows,
        "people": plan.people, "days": plan.days, "seed": plan.seed, "sessions": sessions,
        "attack_sessions": attacks, "by_kind": dict(sorted(kinds.items())),
    }  # fmt: skip


def _kind(out: Path) -> str:
    return out.suffix.lower().removeprefix(".")


class _Lines:
    """JSON lines: each is a body of `POST /assess`."""

    def __init__(self, draft: Path) -> None:
        self._file = draft.open("wb")
        self._encode = msgspec.json.Encoder().encode

    def add(self, event: Event) -> None:
        self._file.write(self._encode(assess_body(event)) + b"\n")

    def end(self) -> None:
        self._file.close()


class _Table:
    """CSV with a head."""

    def __init__(self, draft: Path) -> None:
        self._file = draft.open("w", encoding="utf-8", newline="")
        self._writer = csv.DictWriter(self._file, COLUMNS, lineterminator="\n")
        self._writer.writeheader()

    def add(self, event: Event) -> None:
        self._writer.writerow(flat(event))

    def end(self) -> None:
        self._file.close()


class _Columns:
    """Parquet, some rows at a time."""

    def __init__(self, draft: Path) -> None:
        self._held: list[dict[str, Any]] = []
        self._writer = parquet.ParquetWriter(draft, SCHEMA, compression="zstd")

    def add(self, event: Event) -> None:
        self._held.append(flat(event))
        if len(self._held) >= ROWS_AT_ONCE:
            self._put()

    def _put(self) -> None:
        if self._held:
            self._writer.write_table(pyarrow.Table.from_pylist(self._held, SCHEMA))
        self._held = []

    def end(self) -> None:
        self._put()
        self._writer.close()


def _type(name: str) -> Any:
    if name in FRACTIONS:
        return pyarrow.float64()
    return pyarrow.int64() if name in WHOLE else pyarrow.string()


SCHEMA = pyarrow.schema([(name, _type(name)) for name in COLUMNS])


@contextlib.contextmanager
def _closing(sink: Sink) -> Iterator[Sink]:
    try:
        yield sink
    finally:
        sink.end()


_SINKS: dict[str, Callable[[Path], contextlib.AbstractContextManager[Sink]]] = {
    "jsonl": lambda draft: _closing(_Lines(draft)),
    "csv": lambda draft: _closing(_Table(draft)),
    "parquet": lambda draft: _closing(_Columns(draft)),
}
