"""Two models compared on a log that neither has learned from: what people logged in for, and strangers in their place.

Labels of the log and confirmed compromises are used where there are any; nothing needs them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from risk_scorer.core.model import Model
from training.comparing.comparison import Comparison, Source
from training.comparing.counting import Logins, Named, Scores, Strangers, compared_counts
from training.comparing.replay import replayed
from training.evaluation.labels import Truth, read_truth
from training.evaluation.provenance import notes_in
from training.evaluation.span import overlap
from training.labels import Login, read_labels
from training.lookup_files import open_lookups
from training.lookups import Lookups, address_problem
from training.read_only import name_of
from training.refusals import WrongInputError
from training.reports import iso
from training.sources import EventTable, read_events
from training.stream import Progress, quiet

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Log:
    """A log with what is known of it. `truth` is None where it has no labels; `confirmed` are known compromises."""

    name: str
    table: EventTable
    lookups: Lookups
    truth: Truth | None = None
    confirmed: frozenset[Login] = frozenset()
    notes: tuple[str, ...] = ()


def open_comparison_log(
    source: str | Path,
    *,
    labels: Path | None = None,
    overlays: Sequence[Path] = (),
    listed: Sequence[Path] = (),
    progress: Progress = quiet,
) -> Log:
    """The log with its own labels where it is a file that has them, and with those of `risk-scorer labels`.

    Raises WrongInputError, UnreachableError.
    """
    progress("read", 0.0)
    confirmed = frozenset() if labels is None else read_labels(labels)
    table = read_events(source)
    lookups = open_lookups(overlays=overlays, listed=listed)
    problem = address_problem(table, lookups)
    file = Path(source)
    is_there = file.exists()
    log = Log(
        name=name_of(str(source)),
        table=table,
        lookups=lookups if problem is None else lookups.without_networks(),
        truth=_truth(file, table) if is_there else None,
        confirmed=confirmed,
        notes=(*(notes_in(file) if is_there else ()), *table.notes, *([problem] if problem else [])),
    )
    progress("read", 1.0)
    return log


def compared(
    active: Model, candidate: Model, log: Log, *, starts: float | None = None, progress: Progress = quiet
) -> Comparison:
    """What the candidate would do to these logins that the active model does not.

    Judged are the rows from `starts` (epoch seconds) on; else those after what either model was trained on. All rows
    before them teach. Raises WrongInputError("nothing_to_judge").
    """
    table = log.table
    judged, notes = _judged(active, candidate, table, starts)
    confirmed = confirmed_rows(log)
    taught = ~confirmed & (table.probe == "")
    found = replayed(active, candidate, table, log.lookups, judged=judged, taught=taught, progress=progress)
    if found.strangers is None:
        notes += ("one model learned from facts on addresses and the other did not: no simulated strangers",)
    named = Named(active=active.version, candidate=candidate.version, source=log.name, notes=(*log.notes, *notes))
    return compared_counts(named, _logins(log, judged, confirmed, found.scores), found.strangers)


def _judged(active: Model, candidate: Model, table: EventTable, starts: float | None) -> tuple[Flags, tuple[str, ...]]:
    spans = {"active": active.manifest.span, "candidate": candidate.manifest.span}
    if starts is None:
        starts = float(np.nextafter(max(span.last for span in spans.values()), np.inf))
    judged = table.timestamp >= starts
    if not judged.any():
        raise WrongInputError(
            "nothing_to_judge",
            f"the log ends at {iso(float(table.timestamp[-1]))}, and nothing of it comes after {iso(starts)}: give a"
            " later log, or say --from",
        )
    warnings = {name: overlap(starts, span, table.timestamp) for name, span in spans.items()}
    return judged, tuple(f"{name}: {warning}" for name, warning in warnings.items() if warning)


def _logins(log: Log, judged: Flags, confirmed: Flags, scores: Scores) -> Logins:
    table = log.table
    attacks = _attacks(log, judged, confirmed)
    rows = np.flatnonzero(judged).tolist()
    return Logins(
        moment=table.timestamp[judged],
        user_id=[table.user_id[row] for row in rows],
        ip=[table.ip[row] for row in rows],
        event_id=[""] * len(rows),
        row=table.row_order[judged].tolist(),
        legitimate=legitimate_rows(log, confirmed)[judged],
        attacks={key: flags[judged] for key, flags in attacks.items()},
        scores=scores.only(judged),
    )


def legitimate_rows(log: Log, confirmed: Flags) -> Flags:
    """Logins that succeeded and that nobody calls an attack."""
    own = log.table.success & (log.table.probe == "") if log.truth is None else log.truth.legitimate
    return own & ~confirmed


def _attacks(log: Log, judged: Flags, confirmed: Flags) -> Mapping[tuple[Source, str], Flags]:
    found: dict[tuple[Source, str], Flags] = {("confirmed", "compromised"): confirmed}
    if log.truth is not None:
        found |= {("labelled", name): rows for name, rows in log.truth.families.items()}
    return {key: rows for key, rows in found.items() if (rows & judged).any()}


def confirmed_rows(log: Log) -> Flags:
    """Rows that are a confirmed compromise: by person, address and moment, as exactly as the log tells moments."""
    table, found = log.table, np.zeros(len(log.table), bool)
    if not log.confirmed:
        return found
    step = 1000 if (table.timestamp % 1.0 == 0.0).all() else 1
    wanted = {(user, moment // step, ip) for user, moment, ip in log.confirmed}
    moments = np.round(table.timestamp * 1000).astype(np.int64) // step
    near = np.isin(moments, np.array([moment for _, moment, _ in wanted], np.int64))
    for row in np.flatnonzero(near).tolist():
        found[row] = (table.user_id[row], int(moments[row]), table.ip[row]) in wanted
    return found


def _truth(source: Path, table: EventTable) -> Truth | None:
    try:
        return read_truth(source, table)
    except WrongInputError as error:
        if error.code != "no_labels":
            raise
        return None


__all__ = ["Log", "Logins", "Strangers", "compared", "open_comparison_log"]
