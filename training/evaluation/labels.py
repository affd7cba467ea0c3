"""What a labelled log says each row really was. Labels are read here, beside the log, and never pass to scoring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluate import PROBES, history_lengths
from training.log_files import LogFile
from training.log_schemas import LABEL, RBA, truth_of
from training.log_sources import Part, Parts, open_logs
from training.refusals import WrongInputError
from training.sources import EventTable

Flags = NDArray[np.bool_]

TAKEOVER = "takeover"
TAKEOVER_COLUMN, ATTACK_ADDRESS_COLUMN = "Is Account Takeover", "Is Attack IP"
LEGITIMATE_LABELS = frozenset({"", "legitimate", "honest", "benign", "normal", "none"})
"""Labels, in lower case, that call a row a person's own; every other one names a family of attacks."""


@dataclass(frozen=True)
class Truth:
    """One flag for each row of the table, in its order.

    `legitimate` are finished logins of people themselves: successful, no attack, no probe, not from an address that the
    log calls an attacker's. `families` are the attacks by name, `history` how many logins had been learned before.
    """

    legitimate: Flags
    families: Mapping[str, Flags]
    history: NDArray[np.int64]
    schema: str

    @property
    def attacks(self) -> Flags:
        """Rows of any family."""
        found: Flags = np.logical_or.reduce(list(self.families.values()))
        return found

    def between(self, judged: Flags) -> "Truth":
        """The same with only these rows left to judge; families without one are gone.

        Raises WrongInputError("nothing_to_judge").
        """
        families = {name: rows & judged for name, rows in self.families.items() if (rows & judged).any()}
        legitimate = self.legitimate & judged
        for name, there in (("legitimate login", legitimate.any()), ("attack", bool(families))):
            if not there:
                raise WrongInputError("nothing_to_judge", f"there is no labelled {name} in the span that is judged")
        return Truth(legitimate, families, self.history, self.schema)


def read_truth(path: Path, table: EventTable) -> Truth:
    """The labels of the rows of `table`, which was read from `path`. Raises WrongInputError.

    In the RBA schema `Is Account Takeover` and each value of `Probe` are families; in ours each `label` but a
    legitimate one.
    """
    log = open_logs([str(path)])
    found = _in_table_order(log, table)
    own = table.success & (table.probe == "")
    families = {name: table.probe == name for name in sorted(set(table.probe) - {""})}
    if log.schema is RBA:
        takeover = found.get("takeover", np.zeros(len(table), bool))
        legitimate = own & ~takeover & ~found.get("attack_address", np.zeros(len(table), bool))
        families = {TAKEOVER: takeover} | families
    else:
        labels = found.get("label", np.full(len(table), "", object))
        families |= {name: labels == name for name in sorted(set(labels) - {""})}
        legitimate = own & (labels == "")
    ordered = {name: families[name] for name in sorted(families, key=_reading_order)}
    return Truth(legitimate, ordered, history_lengths(table.user_id, own), log.schema.name)


def _reading_order(name: str) -> tuple[int, str]:
    order = (TAKEOVER, *PROBES)
    return (order.index(name) if name in order else len(order), name)


def _label_columns(log: LogFile, *, has_probes: bool) -> dict[str, str]:
    """SQL for each label that the file has. Raises WrongInputError("no_labels")."""
    spelled = {name.strip().casefold(): reference for name, reference in log.names.items()}
    wanted = {"takeover": TAKEOVER_COLUMN, "attack_address": ATTACK_ADDRESS_COLUMN} if log.schema is RBA else {
        "label": LABEL
    }  # fmt: skip
    found = {ours: spelled[name.casefold()] for ours, name in wanted.items() if name.casefold() in spelled}
    if not has_probes and not found.keys() & {"takeover", "label"}:
        lacking = TAKEOVER_COLUMN if log.schema is RBA else LABEL
        raise WrongInputError("no_labels", f"{log.path.name} has no column {lacking}, so there is nothing to judge by")
    return {ours: '"' + name.replace('"', '""') + '"' for ours, name in found.items()}


def _in_table_order(log: Part | Parts, table: EventTable) -> dict[str, NDArray[Any]]:
    """Each label as an array in the order of the table, by the place of its row in the log."""
    columns = [(file, _label_columns(file, has_probes="probe" in table.present)) for file in _files(log)]
    names = sorted({name for _, found in columns for name in found})
    values = [(file, {name: _value(name, found.get(name, "NULL")) for name in names}) for file, found in columns]
    ordered = _ordered(values, table)
    if "label" in ordered:
        ordered["label"] = np.array([_family(label) for label in ordered["label"]], object)
    return ordered


def texts_of(path: Path, column: str, table: EventTable) -> NDArray[np.object_]:
    """The texts of a column of the log, whatever it is, in the order of the table read from it; "" where missing.

    Raises WrongInputError("unknown_columns").
    """
    values = []
    for file in _files(open_logs([str(path)])):
        spelled = {name.strip().casefold(): reference for name, reference in file.names.items()}
        reference = spelled.get(column.strip().casefold())
        if reference is None:
            raise WrongInputError("unknown_columns", f"{file.path.name} has no column {column}")
        quoted = '"' + reference.replace('"', '""') + '"'
        values.append((file, {"texts": f"coalesce(CAST({quoted} AS VARCHAR), '')"}))
    return _ordered(values, table)["texts"]


def _files(log: Part | Parts) -> Sequence[LogFile]:
    """The files of a log. Raises WrongInputError("no_labels") for a database, which has no such columns."""
    parts = log.parts if isinstance(log, Parts) else [log]
    files = [part for part in parts if isinstance(part, LogFile)]
    if len(files) < len(parts):
        raise WrongInputError("no_labels", f"{log.path.name} is no file, and has no column with labels")
    return files


def _ordered(values: Sequence[tuple[LogFile, Mapping[str, str]]], table: EventTable) -> dict[str, NDArray[Any]]:
    """The values of SQL expressions over each file, by the place of each row in all of them together."""
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in values[0][1]}
    if not parts:
        return {}
    malformed: list[int] = []
    before = 0
    for file, expressions in values:
        selected = ", ".join(f"{value} AS truth_{name}" for name, value in expressions.items())
        with file.with_more(selected).batches() as batches:
            read = 0
            for batch in batches:
                read += len(batch)
                for name, pieces in parts.items():
                    pieces.append(batch.column(f"truth_{name}").to_numpy(zero_copy_only=False))
            rejected = batches.malformed_rows()
        malformed += [before + place for place in rejected]
        before += read + len(rejected)
    whole = {name: np.concatenate(pieces) for name, pieces in parts.items()}
    if before != table.rows_in_file:
        raise WrongInputError("labels_do_not_fit", f"{values[0][0].path.name} changed while it was read")
    positions = np.setdiff1d(np.arange(table.rows_in_file), malformed)
    places = np.searchsorted(positions, table.row_order)
    return {name: found[places] for name, found in whole.items()}


def _value(name: str, column: str) -> str:
    text = f"CAST({column} AS VARCHAR)"
    return f"coalesce({text}, '')" if name == "label" else f"coalesce({truth_of(text)}, false)"


def _family(label: str) -> str:
    """The family a label names, "" for a legitimate one."""
    name = " ".join(label.split())[:64]
    return "" if name.casefold() in LEGITIMATE_LABELS else name
