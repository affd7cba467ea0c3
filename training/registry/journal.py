"""The acts on a registry. An entry of the journal makes an act true: it is created, and only one can have a number.

A pointer that the entry moves is signed within it and put in place afterwards. Whoever dies in between leaves a pointer
that lags behind the journal; the next act, whoever does it, puts it right first.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import UNSET

from risk_scorer.adapters.model_registry import ModelRegistry, entry_path, pointer_path
from risk_scorer.adapters.registry_places import ChangedMeanwhile
from risk_scorer.core.registry import (
    ALL_POINTERS,
    ENTRY_FORMAT,
    POINTER_FORMAT,
    Artefact,
    Entry,
    Finding,
    Kind,
    Pointer,
    PointerName,
    digest,
    encode,
    pointer_of,
)
from risk_scorer.core.signatures import BadArtefact
from training.refusals import RefusedError
from training.registry.sealing import sealed_entry, sealed_pointer

TRIES = 3
NEWEST = "newest"
"""What people call the version that was registered last."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """What somebody does: `moves` names the pointer that goes to `model_version`, and may be rolled back to `previous`.

    `at` is epoch seconds.
    """

    kind: Kind
    model_version: str | None
    at: float
    by: str
    reason: str = ""
    moves: PointerName | None = None
    previous: str | None = None
    findings: tuple[Finding, ...] = ()
    overridden: tuple[str, ...] = ()
    artefact: Artefact = UNSET


def told(registry: ModelRegistry, act: Act, key: Ed25519PrivateKey, *, journal: list[Entry]) -> Entry:
    """The act as the journal's next entry, durably, with its pointer moved.

    `journal` is the one that the act was decided on. Raises RefusedError("registry_changed") when somebody else was
    first, BadArtefact and PlaceAway.
    """
    sequence = len(journal) + 1
    before = digest(encode(journal[-1])) if journal else ""
    entry = sealed_entry(
        Entry(
            format=ENTRY_FORMAT,
            sequence=sequence,
            kind=act.kind,
            model_version=act.model_version,
            at=act.at,
            by=act.by,
            reason=act.reason,
            overridden=act.overridden,
            findings=act.findings,
            pointer=_pointer(act, sequence, key),
            before=before,
            artefact=act.artefact,
        ),
        key,
    )
    try:
        registry.place.create(entry_path(sequence), encode(entry))
    except FileExistsError as error:
        raise RefusedError(
            "registry_changed", "somebody else has changed the registry meanwhile; look at `list`, and do it again"
        ) from error
    settle(registry, [*journal, entry])
    return entry


def _pointer(act: Act, sequence: int, key: Ed25519PrivateKey) -> Pointer | None:
    if act.moves is None:
        return None
    return sealed_pointer(
        Pointer(
            format=POINTER_FORMAT,
            pointer=act.moves,
            model_version=act.model_version,
            sequence=sequence,
            at=act.at,
            by=act.by,
            reason=act.reason,
            previous=act.previous,
        ),
        key,
    )


def newest_pointer(journal: list[Entry], name: PointerName) -> Pointer | None:
    """Where the journal says that a pointer is."""
    moved = (entry.pointer for entry in reversed(journal) if entry.pointer is not None)
    return next((pointer for pointer in moved if pointer.pointer == name), None)


def newest_registered(journal: list[Entry], artefact: Artefact = UNSET) -> str | None:
    """The version of that kind that was registered last, which `newest` names."""
    found = (entry for entry in reversed(journal) if entry.kind == "register" and entry.artefact == artefact)
    return next((entry.model_version for entry in found), None)


def settle(registry: ModelRegistry, journal: list[Entry]) -> list[PointerName]:
    """Puts each pointer that lags behind the journal where it belongs; which ones did. Raises PlaceAway."""
    lagging = []
    for name in ALL_POINTERS:
        due = newest_pointer(journal, name)
        if due is not None and _put(registry, name, due):
            lagging.append(name)
    return lagging


def _put(registry: ModelRegistry, name: PointerName, due: Pointer) -> bool:
    wanted = encode(due)
    for _ in range(TRIES):
        try:
            stored = registry.stored_pointer(name)
        except BadArtefact as error:
            path = pointer_path(name)
            raise RefusedError("pointer_damaged", f"{error.message}: remove {path}, and do it again") from error
        if stored == wanted or _is_beyond(registry, name, stored, due):
            return False
        try:
            registry.place.replace(pointer_path(name), wanted, expected=stored)
        except ChangedMeanwhile:
            continue
        return True
    raise RefusedError("registry_changed", f"the pointer {name} is being moved by somebody else; do it again")


def _is_beyond(registry: ModelRegistry, name: PointerName, stored: bytes | None, due: Pointer) -> bool:
    """Whether a later act has moved it already, which we have not read of. A damaged one is not: it is put right."""
    if stored is None:
        return False
    try:
        return pointer_of(stored, name, registry.public_keys).sequence > due.sequence
    except BadArtefact:
        return False
