"""One run of `risk-training drift`: which model, which logins, and what to write and say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from risk_scorer.adapters.drift_rows import DAYS, JUDGED, LOOK, THE_MODEL, looked_of, summed_of, verdicts_of
from risk_scorer.adapters.tables import drift_counts, drift_looks, verdicts
from risk_scorer.core.drift_marks import Marks
from risk_scorer.core.drift_report import DriftReport, Live, Looked, report
from risk_scorer.core.model import Model
from risk_scorer.core.reference import Counts, Reference, named, width
from training.comparing.registered import model_named
from training.drifting.on_log import RawDistance, counted_on
from training.lookup_files import open_lookups, tables_age_days
from training.lookups import address_problem
from training.outputs import replaced_whole, require_apart
from training.read_only import name_of, opened
from training.refusals import WrongInputError
from training.sources import read_events
from training.stream import Progress
from training.training_run import moment_of

DAY_SECONDS: Final = 86_400.0
FEEDBACK_DAYS: Final = 30


@dataclass(frozen=True)
class Request:
    """What was asked for: logins of a log's `sources`, or what scorers counted in `database` in the last `days`.

    `model` names a version of `registry` or one of its pointers, or a folder; `now` is the present, epoch seconds.
    """

    model: str
    registry: str
    public_key: Path
    now: float
    sources: Sequence[str] = ()
    database: str | None = None
    starts: str | None = None
    days: int = 7
    page: Path | None = None
    overlays: Sequence[Path] = ()
    listed: Sequence[Path] = ()


def drifted(request: Request, progress: Progress) -> dict[str, Any]:
    """What was found, as one JSON object, its page written. Raises WrongInputError, UnreachableError."""
    _check(request)
    starts = None if request.starts is None else moment_of(request.starts, option="--from")
    model = model_named(request.model, request.registry, request.public_key)
    if model.reference is None:
        raise WrongInputError("no_reference", "the model was made without a reference: train it again")
    if request.database is not None:
        told = _in_database(request, request.database, model, model.reference)
    else:
        told = _on_log(request, model, model.reference, starts, progress)
    if request.page is not None:
        from training.report.drift_page import drift_page

        with replaced_whole(request.page) as draft:
            draft.write_text(drift_page(told), encoding="utf-8")
    return told


def _check(request: Request) -> None:
    """Told before the minutes of work, not after."""
    if (request.database is None) == (not request.sources):
        raise WrongInputError("usage", "give --input with a log, or --database with the scorer's database")
    if request.database is not None and request.starts is not None:
        raise WrongInputError("usage", "--from is for a log; give --days with --database")
    if request.page is not None and request.page.is_dir():
        raise WrongInputError("unwritable_output", f"{request.page} is a directory")
    require_apart([request.page], [*request.sources, request.database])


def _on_log(
    request: Request, model: Model, reference: Reference, starts: float | None, progress: Progress
) -> dict[str, Any]:
    progress("read", 0.0)
    table = read_events(*request.sources)
    progress("read", 1.0)
    lookups = open_lookups(overlays=request.overlays, listed=request.listed)
    problem = address_problem(table, lookups)
    usable = lookups if problem is None else lookups.without_networks()
    begins = float(np.nextafter(model.manifest.span.last, np.inf)) if starts is None else starts
    if not (table.success & (table.probe == "") & (table.timestamp >= begins)).any():
        raise WrongInputError("nothing_to_judge", "no successful login of the log lies after the training, or --from")
    found = counted_on(model, reference, table, usable, starts=begins, progress=progress)
    age = None if problem is not None else tables_age_days(found.until)
    live = Live(counts=found.counts, verdicts=(), ip_data_days=age, since=found.since, until=found.until)
    notes = (*table.notes, *([problem] if problem else []))
    judged = report(model, live, Marks())
    return {"source": ", ".join(request.sources), **_told(judged, reference, found.counts, found.raw, notes)}


def _in_database(request: Request, url: str, model: Model, reference: Reference) -> dict[str, Any]:
    first_day = int(request.now // DAY_SECONDS) - request.days + 1
    with opened(url, needed=(drift_counts, drift_looks, verdicts)) as reading:
        days = reading.all(DAYS, of_version=model.version, from_day=first_day)
        judged = reading.all(JUDGED, since=request.now - FEEDBACK_DAYS * DAY_SECONDS)
        looked = looked_of(next(iter(reading.all(LOOK, of_name=THE_MODEL)), None))
    if not days:
        raise WrongInputError("nothing_counted", f"{name_of(url)} has no counts of model {model.version} in that time")
    counts = named(reference, summed_of(days, width(reference)))
    live = Live(
        counts=counts,
        verdicts=verdicts_of(judged, model.version),
        ip_data_days=_tables_age(looked, request.now),
        since=first_day * DAY_SECONDS,
        until=request.now,
    )
    return {"source": name_of(url), **_told(report(model, live, Marks()), reference, counts, {}, ())}


def _tables_age(looked: Looked | None, now: float) -> float | None:
    """The age of the tables that the scorers have, as one of them found it at its last look."""
    found = None if looked is None else looked.report
    if found is None or found.ip_data_days is None:
        return None
    return found.ip_data_days + (now - found.until) / DAY_SECONDS


def _told(
    found: DriftReport, reference: Reference, counts: Counts, raw: Mapping[str, RawDistance], notes: Sequence[str]
) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(found)
    bins = {
        name: {"edges": list(each.edges), "before": list(each.counts), "now": counts.spreads[name].tolist()}
        for name, each in reference.spreads.items()
    }
    return {
        **told,
        "bins": bins,
        "is_past": bool(found.past),
        "raw_distances": {name: asdict(each) for name, each in raw.items()},
        "notes": list(notes),
    }
