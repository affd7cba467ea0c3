"""One run of `risk-training train`: the log, the checks on what was asked, the fit, and what to say about it."""

import contextlib
import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from training.labelling.label_file import require_labels
from training.labelling.matching import matched
from training.labelling.report import Labelled, labelled
from training.log_sources import one_address
from training.refusals import WrongInputError
from training.reports import import_facts, iso
from training.sources import EventTable

if TYPE_CHECKING:
    from training.columns.log import CodedLog
    from training.engines import Engine, Log
    from training.fit import TrainReport
    from training.lineage import Origin

EngineName = Literal["duckdb", "spark"]
Progress = Callable[[str, float], None]
"""Called with the step being done and the share of it that is finished, 0-1."""


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line. `sources` are addresses that the engine understands, one log together.

    Without `labels` those of the databases among the sources are taken.
    """

    sources: Sequence[str]
    model_dir: Path
    key: Path
    seed: int
    until: str | None = None
    left_out: Sequence[str] = ()
    overlays: Sequence[Path] = ()
    listed: Sequence[Path] = ()
    labels: Path | None = None
    engine: EngineName = "duckdb"
    master: str | None = None


def trained(request: Request, progress: Progress) -> dict[str, Any]:
    """Train and publish; returns the facts to tell.

    Raises WrongInputError for what was asked, TrainingRefusedError when the model is not fit to be published, and
    EngineError when the engine is not there or gives up.
    """
    from training.database_labels import labels_for

    if request.engine == "spark":
        one_address(request.sources)
    with labels_for(request.sources, request.labels) as labels:
        return _trained(replace(request, labels=labels), progress)


def _trained(request: Request, progress: Progress) -> dict[str, Any]:
    moment = None if request.until is None else moment_of(request.until)
    check_places(request.model_dir, request.key)
    progress("read", 0.0)
    if request.labels is not None:
        require_labels(request.labels)
    with _running(request) as engine:
        table, judged = _read(engine.open_log(*request.sources), moment, request.labels)
        if moment is not None:
            _check_until(table, moment)
        progress("read", 1.0)
        report = _fitted(request, table, judged, engine, progress)
        by = {"engine": engine.name}
    return {**import_facts(table), **by, **_model_facts(report), "model_dir": str(request.model_dir)}


def _read(log: "Log", until: float | None, labels: Path | None) -> tuple["EventTable | CodedLog", Labelled[Any] | None]:
    """The log, as whole texts where it is small and in numbers where it is large, without what is compromised."""
    # numba loads when there is a log to read, not for a slip in its name
    from training.columns.compromised import matched_rows
    from training.columns.people_sample import WHOLE_LOG_ROWS
    from training.columns.reading import coded_log

    coded = coded_log(log, until=until)
    if len(coded) <= WHOLE_LOG_ROWS:
        table = coded.table()
        if labels is None:
            return table, None
        small = labelled(labels, table.timestamp, partial(matched, table), until=until)
        return small.matched.table, small
    if labels is None:
        return coded, None
    large = labelled(labels, coded.timestamp, partial(matched_rows, coded), until=until)
    return large.matched.table, large


@contextlib.contextmanager
def _running(request: Request) -> Iterator["Engine"]:
    if request.engine == "spark":
        from training.spark import running_spark

        with running_spark(request.master, request.sources[0]) as spark:
            yield spark
        return
    if request.master is not None:
        raise WrongInputError("usage", "--master names a Spark cluster: give it with --engine spark")
    from training.engines import DuckDB

    with contextlib.closing(DuckDB()) as engine:
        yield engine


def _fitted(
    request: Request, table: "EventTable | CodedLog", judged: Labelled[Any] | None, engine: "Engine", progress: Progress
) -> "TrainReport":
    # scikit-learn and numba load when there is something to fit, not for a slip in an option.
    from training.columns.fitting import train_large
    from training.fit import train
    from training.lookup_files import open_lookups

    _check_left_out(request.left_out)
    asked: dict[str, Any] = {
        "model_dir": request.model_dir,
        "key_path": request.key,
        "seed": request.seed,
        "lookups": open_lookups(overlays=request.overlays, listed=request.listed),
        "without": frozenset(request.left_out),
        "origin": _origin(request),
        "labelled": judged,
        "progress": progress,
    }
    try:
        return train(table, engine=engine, **asked) if isinstance(table, EventTable) else train_large(table, **asked)
    except OSError as cause:
        raise WrongInputError("unwritable_output", f"the model or its key cannot be written: {cause}") from cause


def _origin(request: Request) -> "Origin":
    """What was asked for, without the paths and the engine, which change nothing."""
    from training.lineage import Origin, files_digest

    asked = ["train", "--seed", str(request.seed)]
    asked += ["--until", request.until] if request.until else []
    asked += [word for column in sorted(request.left_out) for word in ("--without", column)]
    asked += [word for digest in files_digest(request.overlays) for word in ("--ip_overlay", digest)]
    asked += [word for digest in files_digest(request.listed) for word in ("--ip_listed", digest)]
    labels = None if request.labels is None else files_digest([request.labels])[0].removeprefix("sha256:")
    return Origin(command=tuple(asked), labels_sha256=labels)


def _model_facts(report: "TrainReport") -> dict[str, Any]:
    manifest = report.manifest
    marks = {
        f"{name}_mark": f"budget {mark.budget:.2%}, {mark.prompted} of {mark.logins} held-out logins,"
        f" upper bound {mark.bound:.2%}{', read off the tail' if mark.is_extrapolated else ''}"
        for name, mark in manifest.marks.items()
    }
    told = {} if report.labels is None else {"labels": msgspec.to_builtins(report.labels)}
    return {
        **told,
        "notes": list(manifest.notes),
        "features": len(manifest.features),
        "left_out": {name: manifest.absent[name] for name in _columns() if name in manifest.absent},
        **marks,
        "simulated_prompted": {name: round(share, 4) for name, share in manifest.simulated.items()},
        "worst_case_score": round(report.worst_case, 2),
        "bytes": sum(report.files.values()),
        "model_version": report.model_version,
        "public_key": str(report.public_key),
    }


def _columns() -> list[str]:
    """Columns of a log, and kinds of looked-up facts, that features are made from."""
    from risk_scorer.core.features import COLUMN_OF_FEATURE

    return sorted(set(COLUMN_OF_FEATURE.values()))


def _check_left_out(columns: Sequence[str]) -> None:
    unknown = [column for column in columns if column not in _columns()]
    if unknown:
        raise WrongInputError(
            "unknown_columns", f"--without takes one of {', '.join(_columns())}; not {', '.join(unknown)}"
        )


def moment_of(text: str, option: str = "--until") -> float:
    """Epoch seconds of a day or moment in ISO 8601, UTC unless it says otherwise.

    Raises WrongInputError("bad_date").
    """
    try:
        moment = datetime.datetime.fromisoformat(text)
        # OverflowError: in UTC it is before the year 1 or after 9999
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC).timestamp()
    except (ValueError, OverflowError) as cause:
        raise WrongInputError("bad_date", f"{option} takes a date like 2020-09-01 or 2020-09-01T12:00:00Z") from cause


def _check_until(table: "EventTable | CodedLog", until: float) -> None:
    """A date after the log's end holds nothing back: a slip of the pen that would train on the test months."""
    if table.held_back == 0:
        raise WrongInputError(
            "until_after_log", f"the log ends at {iso(float(table.timestamp[-1]))}, before --until {iso(until)}"
        )


def check_places(model_dir: Path, key: Path) -> None:
    """Told before the minutes of work, not after. Raises WrongInputError: unwritable_output, key_in_model_dir."""
    for folder in (model_dir, key.parent):
        standing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        if not standing.is_dir():
            raise WrongInputError("unwritable_output", f"{standing} is not a folder")
    if key.is_dir():
        raise WrongInputError("unwritable_output", f"{key} is a folder, not a key file")
    if key.resolve().is_relative_to(model_dir.resolve()):
        raise WrongInputError("key_in_model_dir", "the signing key must not lie in the model's folder")
