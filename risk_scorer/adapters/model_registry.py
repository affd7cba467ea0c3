"""Reads a registry of models: which version is in use, its files, and who did what. Nothing unsigned is believed.

```
versions/<model_version>/…            every file of that model, never changed
pointers/active.json, shadow.json, session.json
                                      which version a name stands for (`core.registry.Pointer`)
journal/000000000001.json …           every act, signed and chained (`core.registry.Entry`)
```
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from risk_scorer.adapters.private_copies import MAX_HISTORIES_BYTES, MAX_MODEL_BYTES
from risk_scorer.adapters.registry_places import Place, place_at
from risk_scorer.core.artefact import FOR_ENGINEERS, HISTORIES, MANIFEST, SIGNATURE, BadArtefact, checked_manifest
from risk_scorer.core.registry import Entry, Pointer, PointerName, digest, encode, entry_of, pointer_of

MOST_POINTER_BYTES: Final = 64 * 1024
MOST_ENTRY_BYTES: Final = 1024 * 1024
MOST_MANIFEST_BYTES: Final = 16 * 1024 * 1024
MOST_EVALUATION_BYTES: Final = 4 * 1024 * 1024
VERSIONS, POINTERS, JOURNAL, EVALUATIONS = "versions", "pointers", "journal", "evaluations"


class Declared(Protocol):
    """What the manifest of every kind of model says."""

    @property
    def model_version(self) -> str: ...
    @property
    def files(self) -> dict[str, str]: ...


ManifestCheck = Callable[[Mapping[str, bytes], Sequence[bytes]], Declared]


def version_path(version: str, name: str) -> str:
    """Where a file of a version lies."""
    return f"{VERSIONS}/{version}/{name}"


def pointer_path(name: PointerName) -> str:
    """Where a pointer lies."""
    return f"{POINTERS}/{name}.json"


def entry_path(sequence: int) -> str:
    """Where an entry of the journal lies."""
    return f"{JOURNAL}/{sequence:012d}.json"


def evaluation_path(version: str) -> str:
    """Where the evaluation of a version lies."""
    return f"{EVALUATIONS}/{version}.json"


class ModelRegistry:
    """A registry as its readers see it. Every method blocks, and raises PlaceAway when the place does not answer."""

    def __init__(self, place: Place, public_keys: Sequence[bytes]) -> None:
        self.place = place
        self.public_keys = public_keys

    @classmethod
    def at(cls, address: str, public_keys: Sequence[bytes]) -> ModelRegistry:
        """The registry at an address. Raises: BadPlace."""
        return cls(place_at(address), public_keys)

    def stored_pointer(self, name: PointerName) -> bytes | None:
        """The bytes of a pointer as they stand there, None where nothing was ever pointed at. Raises: BadArtefact."""
        try:
            return self.place.read(pointer_path(name), most_bytes=MOST_POINTER_BYTES)
        except FileNotFoundError:
            return None

    def pointer(self, name: PointerName) -> Pointer | None:
        """A pointer, if it is signed. Raises: BadArtefact."""
        stored = self.stored_pointer(name)
        return None if stored is None else pointer_of(stored, name, self.public_keys)

    def versions(self) -> list[str]:
        """The versions whose signature is there: it is written last."""
        found = self.place.names(VERSIONS)
        return [version for version in found if SIGNATURE in self.place.names(f"{VERSIONS}/{version}")]

    def file(self, version: str, name: str, *, most_bytes: int = MAX_MODEL_BYTES) -> bytes:
        """One file of a version, unchecked. Raises: FileNotFoundError, BadArtefact."""
        return self.place.read(version_path(version, name), most_bytes=most_bytes)

    def version_files(self, version: str, checked: ManifestCheck = checked_manifest) -> Mapping[str, bytes]:
        """The manifest, checked to be that version's and signed, and every file that it lists and a scorer may read.

        `checked` is how a manifest of that kind of model is checked. The files themselves are yet to be checked
        (`core.artefact.load`).
        Raises: FileNotFoundError where there is no such version, BadArtefact.
        """
        files = {name: self.file(version, name, most_bytes=MOST_MANIFEST_BYTES) for name in (SIGNATURE, MANIFEST)}
        manifest = checked(files, self.public_keys)
        if manifest.model_version != version:
            raise BadArtefact("wrong_version", f"what stands for {version} is the model {manifest.model_version}")
        room = MAX_MODEL_BYTES
        for name in sorted(manifest.files):
            if name == FOR_ENGINEERS:
                continue
            try:
                files[name] = self.file(version, name, most_bytes=MAX_HISTORIES_BYTES if name == HISTORIES else room)
            except FileNotFoundError as error:
                raise BadArtefact("missing_file", f"there is no {name}") from error
            room -= 0 if name == HISTORIES else len(files[name])
        return files

    def signed_file(self, version: str, name: str, checked: ManifestCheck = checked_manifest) -> bytes:
        """One small file of a version, if a key signed it as that version's, without reading the big ones.

        Raises: FileNotFoundError, BadArtefact.
        """
        files = {each: self.file(version, each, most_bytes=MOST_MANIFEST_BYTES) for each in (SIGNATURE, MANIFEST)}
        manifest = checked(files, self.public_keys)
        if manifest.model_version != version:
            raise BadArtefact("wrong_version", f"what stands for {version} is the model {manifest.model_version}")
        if name == MANIFEST:
            return files[MANIFEST]
        content = self.file(version, name, most_bytes=MOST_MANIFEST_BYTES)
        if manifest.files.get(name) != hashlib.sha256(content).hexdigest():
            raise BadArtefact("hash_mismatch", f"{name} is not the file that was signed")
        return content

    def evaluation(self, version: str) -> bytes | None:
        """What is kept of how that version did, unchecked; None where nothing is. Raises: BadArtefact."""
        try:
            return self.place.read(evaluation_path(version), most_bytes=MOST_EVALUATION_BYTES)
        except FileNotFoundError:
            return None

    def newest_sequence(self) -> int:
        """The number of the journal's last entry, 0 for an empty one."""
        names = self.place.names(JOURNAL)
        return max((int(name[:12]) for name in names if re.fullmatch(r"[0-9]{12}\.json", name)), default=0)

    def stored_entry(self, sequence: int) -> bytes:
        """The bytes of an entry. Raises: FileNotFoundError, BadArtefact."""
        return self.place.read(entry_path(sequence), most_bytes=MOST_ENTRY_BYTES)

    def journal(self, known: Sequence[Entry] = ()) -> list[Entry]:
        """Every entry, the oldest first, each signed and each following the one before it; those that are `known` from
        here are not read again, since an entry never changes.

        Raises: BadArtefact (`bad_journal` where one is missing or was exchanged).
        """
        found = list(known)
        before = digest(encode(found[-1])) if found else ""
        for sequence in range(len(found) + 1, self.newest_sequence() + 1):
            try:
                stored = self.stored_entry(sequence)
            except FileNotFoundError as error:
                raise BadArtefact("bad_journal", f"entry {sequence} of the journal is missing") from error
            entry = entry_of(stored, sequence, self.public_keys)
            if entry.before != before:
                raise BadArtefact("bad_journal", f"entry {sequence} of the journal does not follow the one before it")
            found.append(entry)
            before = digest(stored)
        return found
