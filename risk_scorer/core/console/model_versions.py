"""The versions of the model as people look at them: which one decides, how each came to be, what its gates found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import UNSET, Struct

from risk_scorer.core.card import ModelCard
from risk_scorer.core.evaluation import Evaluation
from risk_scorer.core.manifest import Manifest
from risk_scorer.core.registry import ACTIVE, SHADOW, Entry, Finding, Pointer, PointerName

VersionState = Literal["active", "shadow", "candidate", "retired"]
"""It decides; it scores beside the one that does; it never decided; it did once."""
DECISIVE: Final = ("promote", "refusal")


class VersionRow(Struct, frozen=True, kw_only=True):
    """One version. `findings` are what the gates found when somebody last wanted it to decide, and `passed` says
    whether it passed all of them, None where nobody did; times are epoch seconds."""

    version: str
    state: VersionState
    registered_at: float
    registered_by: str
    promoted_at: float | None = None
    promoted_by: str = ""
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    overridden: tuple[str, ...] = ()
    acts: tuple[Entry, ...] = ()

    @property
    def passed(self) -> bool | None:
        return all(each.passed for each in self.findings) if self.findings else None


class Shelf(Struct, frozen=True, kw_only=True):
    """Every version, the newest first, and the one that a rollback would let decide."""

    versions: list[VersionRow]
    previous: str | None


class VersionReport(Struct, frozen=True, kw_only=True):
    """All that is known of a version; `evaluation_problem` is why what is kept as its evaluation is not believed."""

    row: VersionRow
    manifest: Manifest
    card: ModelCard | None = None
    evaluation: Evaluation | None = None
    evaluated_at: float | None = None
    evaluated_by: str = ""
    evaluation_problem: str = ""


class RefusedModel(Struct, frozen=True, kw_only=True):
    """Why the newest model is not in use: a stable code, which version it says it is, and what is wrong with it."""

    code: str
    version: str | None
    detail: str


def versions_of(journal: Sequence[Entry]) -> list[VersionRow]:
    """Every registered version of the model of logins, the newest first."""
    ours = [entry for entry in journal if entry.artefact is UNSET]
    active, shadow = _pointed_at(ours, ACTIVE), _pointed_at(ours, SHADOW)
    found: list[VersionRow] = []
    for entry in reversed(ours):
        if entry.kind == "register" and entry.model_version not in {row.version for row in found}:
            found.append(_row(entry, ours, active, shadow))
    return found


def previous_of(journal: Sequence[Entry]) -> str | None:
    """The version that a rollback would let decide."""
    pointer = _pointer(journal, ACTIVE)
    return None if pointer is None else pointer.previous


def _row(registered: Entry, ours: Sequence[Entry], active: str | None, shadow: str | None) -> VersionRow:
    version = registered.model_version or ""
    acts = tuple(entry for entry in ours if entry.model_version == version)
    moved = [entry for entry in acts if entry.kind in ("promote", "rollback")]
    judged = next((entry for entry in reversed(acts) if entry.kind in DECISIVE), None)
    last = moved[-1] if moved else None
    state: VersionState = "retired" if moved else "candidate"
    if version == active:
        state = "active"
    elif version == shadow:
        state = "shadow"
    return VersionRow(
        version=version,
        state=state,
        registered_at=registered.at,
        registered_by=registered.by,
        promoted_at=None if last is None else last.at,
        promoted_by="" if last is None else last.by,
        reason=(last or registered).reason,
        findings=() if judged is None else judged.findings,
        overridden=() if judged is None else judged.overridden,
        acts=acts,
    )


def _pointer(journal: Sequence[Entry], name: PointerName) -> Pointer | None:
    moved = (entry.pointer for entry in reversed(journal) if entry.pointer is not None)
    return next((pointer for pointer in moved if pointer.pointer == name), None)


def _pointed_at(journal: Sequence[Entry], name: PointerName) -> str | None:
    pointer = _pointer(journal, name)
    return None if pointer is None else pointer.model_version
