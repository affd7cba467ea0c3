"""One run of `risk-training calibrate`: the model, the later logins, the marks, and what is written of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from plumbing.clock import SystemClock
from risk_scorer.core.artefact import FOR_ENGINEERS
from risk_scorer.core.manifest import Manifest
from training import publish
from training.calibrating import history, marks
from training.calibrating.by_group import GroupMarks, document, group_marks
from training.calibrating.held_out import HeldOut, held_out
from training.calibrating.reading import column_of, known_before, opened_at, wanted_rows
from training.calibrating.recarded import Moved, card_of
from training.calibrating.record import calibrated, reference_of, signed_files, span_of
from training.comparing.on_log import Log, open_comparison_log
from training.database_labels import labels_for
from training.lineage import files_digest
from training.marked import Budgets
from training.outputs import replaced_whole, require_apart
from training.refusals import WrongInputError
from training.reports import iso
from training.stream import Progress

Asks = Literal["client", "group"]


@dataclass(frozen=True)
class Request:
    """What was asked for. `source` is a log as `train` takes one, `labels` what people found out about it. `out` None
    finds the marks and publishes nothing. With `per`, a column of the log, every value of it gets marks of its own, for
    `asks` of the gateway's document; `own_budgets` are step-up budgets by value."""

    source: str
    model_dir: Path
    public_key: Path
    key: Path
    budgets: Budgets = field(default_factory=Budgets)
    starts: str | None = None
    labels: Path | None = None
    seed: int = 7
    out: Path | None = None
    per: str | None = None
    asks: Asks = "client"
    own_budgets: Mapping[str, float] = field(default_factory=dict)
    marks_out: Path | None = None
    by: str = ""
    reason: str = ""
    overlays: Sequence[Path] = ()
    listed: Sequence[Path] = ()


def calibrated_marks(request: Request, progress: Progress) -> dict[str, Any]:
    """Finds the marks, writes what was asked for, and returns the facts to tell.

    Raises WrongInputError for what was asked, TrainingRefusedError where the marks cannot be proven or the model would
    not be fit to be published with them, UnreachableError for a database; then nothing was written.
    """
    _check(request)
    files, model = opened_at(request.model_dir, request.public_key)
    with labels_for([request.source], request.labels) as labels:
        log = open_comparison_log(
            request.source, labels=labels, overlays=request.overlays, listed=request.listed, progress=progress
        )
    wanted, notes = wanted_rows(log, model, request.starts)
    groups = None if request.per is None else column_of(request.source, request.per, log.table)
    known = known_before(model, files, log.table)
    held = held_out(model, log.table, log.lookups, wanted, known=known, seed=request.seed, progress=progress)
    before = marks.measured(held.evidence, model.score_map, _budgets(request))
    new = marks.found(held, request.budgets)
    found = _by_group(request, groups, held, new)
    changed = reference_of(model, new) | card_of(files, model, _moved(request, log, held, new, groups))
    manifest = calibrated(model, log.table, held, new, before=before, seed=request.seed, files=changed)
    worst = _published(request, {**files, **changed}, manifest, held)
    _write_document(request, found, manifest.model_version)
    return {
        "of": model.version,
        "model_version": manifest.model_version,
        "held_out": _span(log, held),
        "marks": {name: {"before": asdict(before[name]), "after": asdict(mark)} for name, mark in new.marks().items()},
        **marks.facts(held, new.score_map),
        "by_group": [asdict(group) for group in found],
        "notes": [*log.notes, *notes, *new.notes],
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
    if request.per is None and (request.own_budgets or request.marks_out is not None):
        raise WrongInputError(
            "usage", "--budget-of and --marks-out are about groups: say with --per which column they are"
        )
    require_apart([request.marks_out], [request.source, request.labels])
    if request.out is None:
        return
    if not request.key.is_file():
        raise WrongInputError("no_signing_key", f"there is no signing key {request.key}: give the one that train used")
    if request.out.exists() and not request.out.is_dir():
        raise WrongInputError("unwritable_output", f"{request.out} is not a folder")
    if request.key.resolve().is_relative_to(request.out.resolve()):
        raise WrongInputError("key_in_model_dir", "the signing key must not lie in the model's folder")
    past = _history(request)
    if past.exists() and not past.is_file():
        raise WrongInputError("unwritable_output", f"{past} is no file, and what was done is noted there")


def _budgets(request: Request) -> dict[str, float]:
    return {"step_up": request.budgets.step_up, "deny": request.budgets.deny}


def _moved(request: Request, log: Log, held: HeldOut, new: marks.Found, groups: NDArray[np.object_] | None) -> Moved:
    asked = ["calibrate", "--seed", str(request.seed)]
    asked += ["--budget", repr(request.budgets.step_up), "--deny-budget", repr(request.budgets.deny)]
    asked += ["--from", request.starts] if request.starts else []
    asked += [word for digest in files_digest(request.overlays) for word in ("--ip_overlay", digest)]
    asked += [word for digest in files_digest(request.listed) for word in ("--ip_listed", digest)]
    by = {} if groups is None or request.per is None else {request.per: groups[held.rows]}
    return Moved(held, new, span_of(log.table, held), by, tuple(asked))


def _by_group(
    request: Request, groups: NDArray[np.object_] | None, held: HeldOut, new: marks.Found
) -> list[GroupMarks]:
    if groups is None:
        return []
    own = {name: Budgets(share, request.budgets.deny) for name, share in request.own_budgets.items()}
    found = group_marks(held.evidence, groups[held.rows], new.score_map, own, usual=request.budgets)
    unknown = sorted(set(request.own_budgets) - {group.group for group in found})
    if unknown:
        raise WrongInputError("unknown_group", f"no held-out login has {request.per} {', '.join(unknown)}")
    return found


def _published(request: Request, files: Mapping[str, bytes], manifest: Manifest, held: HeldOut) -> float | None:
    """Publishes the version and writes down who made it; the score of its worst case, None where nothing was asked."""
    if request.out is None:
        return None
    key = publish.signing_key(request.key)
    engineers = request.model_dir / FOR_ENGINEERS
    try:
        kept = {**files, FOR_ENGINEERS: engineers.read_bytes()} if engineers.is_file() else files
        listed = {name: content for name, content in kept.items() if name in manifest.files}
        written, worst = signed_files(listed, manifest, held, key)
        publish.publish(written, request.out)
    except OSError as cause:
        raise WrongInputError("unwritable_output", f"the model cannot be written: {cause}") from cause
    _write_down(request, manifest, key)
    return round(worst, 2)


def _write_down(request: Request, manifest: Manifest, key: Ed25519PrivateKey) -> None:
    """Who did it and when. The model is there already, and says the rest itself."""
    change, at = manifest.calibrations[-1], iso(SystemClock().now())
    line = history.line(change, manifest.model_version, at=at, by=request.by, reason=request.reason)
    try:
        history.append(_history(request), line, key)
    except OSError as cause:
        raise WrongInputError(
            "history_unwritable", f"{request.out} has the new version, but its line in {history.FILE} failed: {cause}"
        ) from cause


def _history(request: Request) -> Path:
    return request.key.with_name(history.FILE)


def _write_document(request: Request, found: Sequence[GroupMarks], model_version: str) -> None:
    if request.marks_out is None:
        return
    text = document(found, asks=request.asks, model_version=model_version)
    with replaced_whole(request.marks_out) as draft:
        draft.write_text(text, encoding="utf-8")


def _span(log: Log, held: HeldOut) -> dict[str, Any]:
    span = span_of(log.table, held)
    return {
        "logins": len(held.rows),
        "people": len(set(log.table.user_id[held.rows].tolist())),
        "first": iso(span.first),
        "last": iso(span.last),
        "attacks": {name: len(nats) for name, nats in held.attacks.items()},
    }
