"""What stands in a registry of models beside the models: signed pointers to versions, and a signed journal.

A pointer says which version is in use. Its name is part of what is signed, so that the pointer of the shadow, or of the
session model, cannot be put in the active one's place; its sequence only grows, so that an old one cannot be put back.
"""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from risk_scorer.core.signatures import BadArtefact, Signature, check_signature

POINTER_FORMAT, ENTRY_FORMAT = "riskgate-pointer/1", "riskgate-journal/1"
PointerName = Literal["active", "shadow", "session"]
Kind = Literal["register", "promote", "rollback", "shadow", "refusal"]
Version = Annotated[str, Meta(pattern=r"\A[0-9a-f]{12}\Z")]
"""As `core.artefact.version_of` makes it: nothing that could be a path."""
Line = Annotated[str, Meta(max_length=1000)]

ACTIVE: Final[PointerName] = "active"
SHADOW: Final[PointerName] = "shadow"
SESSION: Final[PointerName] = "session"
POINTERS: Final[tuple[PointerName, ...]] = (ACTIVE, SHADOW)
"""Those of models of logins."""
ALL_POINTERS: Final[tuple[PointerName, ...]] = (*POINTERS, SESSION)
Artefact = Literal["session"] | UnsetType
"""Which kind of model an act is about: unset for models of logins, as in journals from before there were others."""


class Pointer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which version a name stands for (None: none), since when (epoch seconds), by whom and why.

    `sequence` is that of the journal's entry which moved it there; `previous` is the version that `rollback` goes to.
    """

    format: str
    pointer: PointerName
    model_version: Version | None
    sequence: Annotated[int, Meta(ge=1)]
    at: float
    by: Line
    reason: Line
    previous: Version | None
    signature: Signature | None = None


class Finding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one gate found: whether the candidate passed, and the numbers in words."""

    gate: str
    passed: bool
    text: str


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One act on a registry. `before` is the SHA-256 of the entry before it, "" for the first.

    `overridden` are gates that were not passed and did not count; `pointer` is what the act moved. What is unset is
    neither written nor signed.
    """

    format: str
    sequence: Annotated[int, Meta(ge=1)]
    kind: Kind
    model_version: Version | None
    at: float
    by: Line
    reason: Line
    overridden: tuple[str, ...]
    findings: tuple[Finding, ...]
    pointer: Pointer | None
    before: str
    artefact: Artefact = UNSET
    signature: Signature | None = None


def encode(stored: Pointer | Entry) -> bytes:
    """As it is stored: indented JSON."""
    return msgspec.json.format(msgspec.json.encode(stored, order="deterministic"), indent=1) + b"\n"


def digest(stored: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(stored).hexdigest()


def pointer_of(stored: bytes, name: PointerName, public_keys: Sequence[bytes]) -> Pointer:
    """The pointer of that name, if one of these keys signed it as such.

    Raises BadArtefact: `bad_pointer`, `untrusted_key`, `bad_signature`.
    """
    try:
        pointer = msgspec.json.decode(stored, type=Pointer)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadArtefact("bad_pointer", f"the pointer {name} cannot be read") from error
    if pointer.signature is None or pointer.format != POINTER_FORMAT:
        raise BadArtefact("bad_pointer", f"the pointer {name} is not one that this version reads")
    if pointer.pointer != name:
        raise BadArtefact("bad_pointer", f"what stands for {name} is the pointer {pointer.pointer}")
    check_signature(signed_bytes(pointer), pointer.signature, public_keys, what=f"the pointer {name}")
    return pointer


def entry_of(stored: bytes, sequence: int, public_keys: Sequence[bytes]) -> Entry:
    """The journal's entry of that number, if one of these keys signed it.

    Raises BadArtefact: `bad_journal`, `untrusted_key`, `bad_signature`.
    """
    what = f"entry {sequence} of the journal"
    try:
        entry = msgspec.json.decode(stored, type=Entry)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadArtefact("bad_journal", f"{what} cannot be read") from error
    if entry.signature is None or entry.format != ENTRY_FORMAT or entry.sequence != sequence:
        raise BadArtefact("bad_journal", f"{what} is another one, or of a format that this version does not read")
    check_signature(signed_bytes(entry), entry.signature, public_keys, what=what)
    return entry


def signed_bytes(stored: Pointer | Entry) -> bytes:
    """What its signature is over: all of it but the signature."""
    return msgspec.json.encode(msgspec.structs.replace(stored, signature=None), order="deterministic")
