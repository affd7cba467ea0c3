"""A model with other marks as files: arrays and frequencies stay what they are, the manifest is another, and so is its
version."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from risk_scorer.contract.assessment import MEDIUM_FROM
from risk_scorer.core import manifest as declaration
from risk_scorer.core import reference
from risk_scorer.core.artefact import MANIFEST, REFERENCE, SIGNATURE, load, version_of
from risk_scorer.core.manifest import CalibrationNumbers, Manifest, MarkNumbers, Span
from risk_scorer.core.model import Model
from training import checks, publish
from training.calibrate import Mark
from training.calibrating.held_out import SIMULATED, HeldOut
from training.calibrating.marks import Found, evidence_at
from training.sources import EventTable


def digest_of(table: EventTable, rows: NDArray[np.int64]) -> str:
    """SHA-256 of these logins, by moment, person and address, whatever file they came in."""
    told = bytearray(np.round(table.timestamp[rows] * 1000.0).astype("<i8").tobytes())
    for column in (table.user_id, table.ip):
        told += "\0".join(column[rows].tolist()).encode()
    return publish.digest(bytes(told))


def span_of(table: EventTable, held: HeldOut) -> Span:
    """First and last of the legitimate logins that the marks were found on."""
    moments = table.timestamp[held.rows]
    return Span(first=float(moments[0]), last=float(moments[-1]))


def reference_of(model: Model, new: Found) -> dict[str, bytes]:
    """The reference with, of its own logins, the share that reaches the new marks. Where its numbers lie is about
    evidence, which stays."""
    known = model.reference
    if known is None:
        return {}
    asked, denied = (round(known.logins * mark.prompted / mark.logins) for mark in (new.step_up, new.deny))
    return {REFERENCE: reference.encode(msgspec.structs.replace(known, prompted=max(asked, denied), denied=denied))}


def calibrated(
    model: Model,
    table: EventTable,
    held: HeldOut,
    new: Found,
    *,
    before: Mapping[str, Mark],
    seed: int,
    files: Mapping[str, bytes],
) -> Manifest:
    """The manifest with the new marks and these changed `files`; it names the version that it comes from and what the
    old marks did."""
    old = model.manifest
    change = CalibrationNumbers(
        of=old.model_version,
        data=digest_of(table, held.rows),
        span=span_of(table, held),
        seed=seed,
        before=_numbers(before),
        after=_numbers(new.marks()),
    )
    changed = msgspec.structs.replace(
        old,
        model_version="",
        files={**old.files, **{name: publish.digest(content) for name, content in files.items()}},
        score_map=tuple(zip(new.score_map.evidence.tolist(), new.score_map.score.tolist(), strict=True)),
        marks=_numbers(new.marks()),
        simulated=_simulated(held, new),
        notes=(*(note for note in old.notes if not _is_about_marks(note)), *new.notes),
        calibrations=(*old.calibrations, change),
    )
    return msgspec.structs.replace(changed, model_version=version_of(changed))


def signed_files(
    files: Mapping[str, bytes], manifest: Manifest, held: HeldOut, key: Ed25519PrivateKey
) -> tuple[dict[str, bytes], float]:
    """All files of the new version, loaded once as the scorer would load them, and the score of the worst case.

    Raises TrainingRefusedError("worst_case_below_deny").
    """
    content = declaration.encode(manifest)
    written = {**files, MANIFEST: content, SIGNATURE: publish.signature(content, key)}
    checked = load(written, [publish.public_bytes(key)])
    return written, checks.require_worst_case_denied(checked, held.most_known)


def _numbers(marks: Mapping[str, Mark]) -> dict[str, MarkNumbers]:
    return {name: MarkNumbers(**asdict(mark)) for name, mark in marks.items()}


def _simulated(held: HeldOut, new: Found) -> dict[str, float]:
    at = evidence_at(new.score_map, MEDIUM_FROM)
    kinds: dict[str, Any] = {name: nats for name, nats in held.attacks.items() if name.startswith(SIMULATED)}
    return {name.removeprefix(SIMULATED): float((nats >= at).mean()) for name, nats in kinds.items()}


def _is_about_marks(note: str) -> bool:
    return "the mark is read off the falling tail" in note
