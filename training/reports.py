"""What a command tells the person: the same facts as lines to read and as one JSON object."""

import datetime
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from training.log_schemas import TEXTS
from training.shown_text import one_line
from training.sources import EventTable

if TYPE_CHECKING:
    from training.columns.log import CodedLog

Facts = Mapping[str, Any]

_COLUMNS = ("timestamp", "success", "asn", "ip_rep", "rtt_ms", *(name for name in TEXTS if name != "event_id"))


def import_facts(table: "EventTable | CodedLog") -> dict[str, Any]:
    """How a log was read: rows, drops by reason, span, people, which columns it has and lacks, and what to know."""
    return {
        "rows_in_file": table.rows_in_file,
        "rows": len(table),
        "dropped": dict(sorted(table.dropped.items())),
        "held_back": table.held_back,
        "first": iso(float(table.timestamp[0])),
        "last": iso(float(table.timestamp[-1])),
        "users": table.people,
        "present": [name for name in _COLUMNS if name in table.present],
        "absent": [name for name in _COLUMNS if name not in table.present],
        "notes": list(table.notes),
    }


def iso(epoch_seconds: float) -> str:
    """UTC in ISO 8601, to the second."""
    return datetime.datetime.fromtimestamp(epoch_seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def tell(facts: Facts, *, as_json: bool, console: Console) -> None:
    """Print the facts: one JSON object a run, or a small table."""
    if as_json:
        # A file's name may be no text at all; within a JSON string a backslash's escape of it is one of JSON.
        console.file.write(json.dumps(facts, ensure_ascii=False).encode(errors="backslashreplace").decode() + "\n")
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), one_line(_words(value)))
    console.print(table, highlight=False, markup=False)


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(_entry(name, part) for name, part in value.items()) or "none"
    if isinstance(value, list | tuple):
        separator = "; " if any(" " in str(entry) for entry in value) else ", "
        return separator.join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _entry(name: str, value: Any) -> str:
    return f"{name} {value:,}" if isinstance(value, int) else f"{name} ({value})"
