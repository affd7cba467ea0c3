"""One run of `risk-training calibrate`: the model, the later logins, the marks, and what is written of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from plumbing.clock import SystemClock
from risk_scorer.adapters.model_store import BadPublicKey, public_keys, read_files
from risk_scorer.core.artefact import FOR_ENGINEERS, HISTORIES, BadArtefact, histories, load
from risk_scorer.core.manifest import Manifest
from risk_scorer.core.model import Model
from training import publish
from training.calibrating import history, marks
from training.calibrating.by_group import GroupMarks, document, group_marks
from training.calibrating.held_out import HeldOut, Wanted, held_out, known_histories
from training.calibrating.record import calibrated, changed_files, signed_files
from training.evaluation.labels import read_truth, texts_of
from training.evaluation.span import judged_from, overlap
from training.fit import Budgets
from training.log_files import open_log
from training.lookup_files import open_lookups
from training.lookups import address_problem
from training.outputs import replaced_whole
from training.refusals import WrongInputError
from training.reports import iso
from training.sources import EventTable, read_events
from training.stream import Histories, Progress
from training.training_run import moment_of

Asks = Literal["client", "group"]


@dataclass(frozen=True)
class Request:
    """What was asked for. `out` None finds the marks and publishes nothing. With `by`, a column of the log, every value
    of it gets marks of its own, for `asks` of the gateway's document; `own_budgets` are step-up budgets by value."""

    source: Path
    model_dir: Path
    public_key: Path
    key: Path
    budgets: Budgets = field(default_factory=Budgets)
    starts: str | None = None
    seed: int = 7
    out: Path | None = None
    by: str | None = None
    asks: Asks = "client"
    own_budgets: Mapping[str, float] = field(default_factory=dict)
    marks_out: Path | None = None
    author: str = ""
    reason: str = ""
    overlays: Sequence[Path] = ()
    listed: Sequence[Path] = ()


def calibrated_marks(request: Request, progress: Progress) -> dict[str, Any]:
    """Finds the marks, writes what was asked for, and returns the facts to tell.

    Raises WrongInputError for what was asked, TrainingRefusedError where the marks cannot be proven or the model would
    not be fit to be published with them; then nothing was written.
    """
    _check(request)
    files, model = opened_at(request.model_dir, request.public_key)
    progress("read", 0.0)
    table = read_events(request.source)
    wanted, notes = _wanted(request, model, table)
    groups = None if request.by is None else texts_of(request.source, request.by, table)
    progress("read", 1.0)
    held = _held_out(request, model, files, table, wanted, progress)
    before = marks.measured(held.evidence, model.score_map, _budgets(request))
    new = marks.found(held, request.budgets)
    changed = changed_files(model, new)
    manifest = calibrated(model, table, held, new, before=before, seed=request.seed, files=changed)
    by_group = _by_group(request, groups, held, new)
    worst = _published(request, {**files, **changed}, manifest, held)
    _write_document(request, by_group, manifest.model_version)
    return {
        "of": model.version,
        "model_version": manifest.model_version,
        "held_out": _span(table, held),
        "marks": {name: {"before": asdict(before[name]), "after": asdict(mark)} for name, mark in new.marks().items()},
        **marks.facts(held, new.score_map),
        "by_group": [asdict(group) for group in by_group],
        "notes": [*table.notes, *notes, *new.notes],
        "worst_case_score": worst,
        "written": None if request.out is None else str(request.out),
        "marks_written": None if request.marks_out is None else str(request.marks_out),
    }


def _check(request: Request) -> None:
    """Told before the minutes of work, not after."""
    marks.require_budgets(request.budgets)
    for name, share in request.own_budgets.items():
        if not request.budgets.deny < share <= marks.MOST_PROMPTED:
            raise WrongInputError("bad_budget", f"the budget of {name} is a share above --deny-budget, such as 0.05")
    if request.by is None and (request.own_budgets or request.marks_out is not None):
        raise WrongInputError(
            "usage", "--budget-of and --marks-out are about groups: say with --by which column they are"
        )
    if request.out is None:
        return
    if not request.key.is_file():
        raise WrongInputError("no_signing_key", f"there is no signing key {request.key}: give the one that train used")
    if request.out.exists() and not request.out.is_dir():
        raise WrongInputError("unwritable_output", f"{request.out} is not a folder")
    if request.key.resolve().is_relative_to(request.out.resolve()):
        raise WrongInputError("key_in_model_dir", "the signing key must not lie in the model's folder")


def opened_at(model_dir: Path, public_key: Path) -> tuple[Mapping[str, bytes], Model]:
    """The model's files and the model, checked as the scoring service checks it."""
    try:
        files = read_files(model_dir)
        return files, load(files, public_keys([str(public_key)]))
    except FileNotFoundError as cause:
        raise WrongInputError("no_model", f"there is no signed model in {model_dir}") from cause
    except BadPublicKey as cause:
        raise WrongInputError("bad_public_key", f"{public_key} holds no Ed25519 public key") from cause
    except BadArtefact as cause:
        raise WrongInputError(cause.code, f"the model in {model_dir} cannot be used: {cause}") from cause


def _wanted(request: Request, model: Model, table: EventTable) -> tuple[Wanted, tuple[str, ...]]:
    """The rows to weigh: by the log's labels where it has some, else every success that is no probe."""
    schema = open_log(request.source).schema.name
    if request.starts is not None:
        starts = moment_of(request.starts, option="--from")
    else:
        starts = judged_from(schema, model.manifest.span, table.timestamp)
    inside = table.timestamp >= starts
    notes: tuple[str, ...] = ()
    try:
        truth = read_truth(request.source, table)
    except WrongInputError as decline:
        if decline.code != "no_labels":
            raise
        own: NDArray[np.bool_] = table.success & (table.probe == "")
        wanted = Wanted(_first(inside), own & inside, {})
        notes = ("the log has no labels: every success is taken as the person's own",)
    else:
        families = {name: rows & inside for name, rows in truth.families.items()}
        wanted = Wanted(_first(inside), truth.legitimate & inside, families)
    warning = overlap(starts, model.manifest.span, table.timestamp)
    return wanted, (*notes, *([warning] if warning else []))


def _first(inside: NDArray[np.bool_]) -> int:
    """The first row that counts, the table's length where none does."""
    return int(inside.argmax()) if inside.any() else len(inside)


def _held_out(
    request: Request,
    model: Model,
    files: Mapping[str, bytes],
    table: EventTable,
    wanted: Wanted,
    progress: Progress,
) -> HeldOut:
    lookups = open_lookups(overlays=request.overlays, listed=request.listed)
    usable = lookups if address_problem(table, lookups) is None else lookups.without_networks()
    known = _known(model, files, table)
    return held_out(model, table, usable, wanted, known=known, seed=request.seed, progress=progress)


def _known(model: Model, files: Mapping[str, bytes], table: EventTable) -> Histories:
    """What the scorer knew when the log began: the model's histories where the log follows the training, and nothing
    where the log itself goes that far back."""
    if float(table.timestamp[0]) <= model.manifest.span.last:
        return {}
    return known_histories(histories(files[HISTORIES]), frozenset(table.user_id.tolist()))


def _budgets(request: Request) -> dict[str, float]:
    return {"step_up": request.budgets.step_up, "deny": request.budgets.deny}


def _by_group(
    request: Request, groups: NDArray[np.object_] | None, held: HeldOut, new: marks.Found
) -> list[GroupMarks]:
    if groups is None:
        return []
    own = {name: Budgets(share, request.budgets.deny) for name, share in request.own_budgets.items()}
    found = group_marks(held.evidence, groups[held.rows], new.score_map, own, usual=request.budgets)
    unknown = sorted(set(request.own_budgets) - {group.group for group in found})
    if unknown:
        raise WrongInputError("unknown_group", f"no held-out login has {request.by} {', '.join(unknown)}")
    return found


def _published(request: Request, files: Mapping[str, bytes], manifest: Manifest, held: HeldOut) -> float | None:
    """Publishes the version and writes down who made it; the score of its worst case, None where nothing was asked."""
    if request.out is None:
        return None
    key = publish.signing_key(request.key)
    engineers = request.model_dir / FOR_ENGINEERS
    try:
        kept = {**files, FOR_ENGINEERS: engineers.read_bytes()} if engineers.is_file() else files
        written, worst = signed_files(
            {name: kept[name] for name in kept if name in manifest.files}, manifest, held, key
        )
        publish.publish(written, request.out)
        line = history.line(
            manifest.calibrations[-1],
            manifest.model_version,
            at=iso(SystemClock().now()),
            by=request.author,
            reason=request.reason,
        )
        history.append(request.key.with_name(history.FILE), line, key)
    except OSError as cause:
        raise WrongInputError("unwritable_output", f"the model cannot be written: {cause}") from cause
    return round(worst, 2)


def _write_document(request: Request, found: Sequence[GroupMarks], model_version: str) -> None:
    if request.marks_out is None:
        return
    text = document(found, asks=request.asks, model_version=model_version)
    with replaced_whole(request.marks_out) as draft:
        draft.write_text(text, encoding="utf-8")


def _span(table: EventTable, held: HeldOut) -> dict[str, Any]:
    moments = table.timestamp[held.rows]
    return {
        "logins": len(held.rows),
        "people": len(set(table.user_id[held.rows].tolist())),
        "first": iso(float(moments[0])),
        "last": iso(float(moments[-1])),
        "attacks": {name: len(nats) for name, nats in held.attacks.items()},
    }
