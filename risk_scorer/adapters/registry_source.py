"""The model that a registry's pointer names, as the store that serves it asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from risk_scorer.adapters.model_registry import VERSIONS, ManifestCheck, ModelRegistry
from risk_scorer.adapters.published_folder import BadPublicKey, State, public_keys
from risk_scorer.adapters.registry_places import Place
from risk_scorer.adapters.seen_pointers import SeenPointers
from risk_scorer.core.artefact import BadArtefact, checked_manifest, load
from risk_scorer.core.model import Model
from risk_scorer.core.registry import ACTIVE, Pointer, PointerName, pointer_of


class RegistrySource:
    """Follows one pointer of a registry."""

    def __init__(
        self,
        place: Place,
        key_sources: Sequence[str],
        *,
        address: str,
        seen: SeenPointers,
        pointer: PointerName = ACTIVE,
    ) -> None:
        self._place = place
        self._key_sources = key_sources
        self._address = address
        self._seen = seen
        self._name: Final = pointer

    def state(self, *, thorough: bool) -> State:
        """The pointer's bytes; after a refusal also what lies in the version's folder, and the keys."""
        try:
            stored = self._registry([]).stored_pointer(self._name)
        except BadArtefact as error:
            stored = error.code.encode()  # no pointer, and no reason not to look: reading it says what is wrong
        if not thorough:
            return State(stored, None)
        version = self.claimed_version()
        return State(
            stored,
            (self._keys_state(), () if version is None else self._place.state(f"{VERSIONS}/{version}")),
        )

    def fetch(self) -> tuple[Model, Mapping[str, bytes]]:
        """As `model_store.ModelSource` says; a pointer older than one that was seen is refused."""
        files = self.files(checked_manifest)
        return load(files, public_keys(self._key_sources)), files

    def files(self, checked: ManifestCheck) -> Mapping[str, bytes]:
        """The files of the version that the pointer names, its manifest checked as that of its kind."""
        pointer = self._believed()
        registry = self._registry(public_keys(self._key_sources))
        try:
            return registry.version_files(pointer.model_version or "", checked)
        except FileNotFoundError as error:
            raise BadArtefact("version_missing", f"there is no version {pointer.model_version}") from error

    def claimed_version(self) -> str | None:
        """The version that a signed pointer names."""
        try:
            registry = self._registry(public_keys(self._key_sources))
            pointer = registry.pointer(self._name)
        except (BadArtefact, BadPublicKey):
            return None
        return None if pointer is None else pointer.model_version

    def _believed(self) -> Pointer:
        """The pointer, signed and not older than what was seen. Raises: FileNotFoundError where it names nothing."""
        registry = self._registry(public_keys(self._key_sources))
        stored = registry.stored_pointer(self._name)
        if stored is None:
            raise FileNotFoundError(self._name)
        pointer = pointer_of(stored, self._name, registry.public_keys)
        self._seen.admit(self._address, pointer, stored)
        if pointer.model_version is None:
            raise FileNotFoundError(self._name)
        return pointer

    def _registry(self, keys: Sequence[bytes]) -> ModelRegistry:
        return ModelRegistry(self._place, keys)

    def _keys_state(self) -> tuple[tuple[int, int], ...]:
        found = []
        for source in self._key_sources:
            try:
                seen = Path(source).stat()
            except (OSError, ValueError):
                continue
            found.append((seen.st_mtime_ns, seen.st_size))
        return tuple(found)
