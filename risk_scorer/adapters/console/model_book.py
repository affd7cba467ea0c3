"""What is known of the model's versions: of a registry's from its signed journal, cards and evaluations; of a folder's
from the card beside it. Everything is checked as a scorer checks it, and nothing is ever written. Methods block."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from plumbing.refusals import Refused
from risk_scorer.adapters.model_registry import MOST_MANIFEST_BYTES, ModelRegistry
from risk_scorer.adapters.published_folder import BadPublicKey, public_keys
from risk_scorer.adapters.registry_places import Place, PlaceAway, read_regular
from risk_scorer.core import manifest as declaration
from risk_scorer.core.artefact import MANIFEST
from risk_scorer.core.card import CARD, ModelCard
from risk_scorer.core.card import decode as decode_card
from risk_scorer.core.console.model_versions import Shelf, VersionReport, VersionRow, previous_of, versions_of
from risk_scorer.core.evaluation import kept_of
from risk_scorer.core.manifest import Manifest
from risk_scorer.core.model import Model
from risk_scorer.core.registry import Entry
from risk_scorer.core.signatures import BadArtefact

KEPT_CARDS: Final = 64


class RegistryBook:
    """A registry's versions. The journal is read once, and afterwards what was added to it."""

    is_registry: Final = True

    def __init__(self, place: Place, key_sources: Sequence[str]) -> None:
        self._place = place
        self._key_sources = key_sources
        self._journal: list[Entry] = []
        self._cards: OrderedDict[str, tuple[ModelCard, Manifest]] = OrderedDict()
        self._turn = threading.Lock()

    def shelf(self) -> Shelf:
        """Every version. Raises: Refused `registry_unavailable` (503), `registry_refused` (502)."""
        with self._turn:
            try:
                # An entry never changes, but a registry may be made anew at the same address.
                self._journal = self._read_on()
            except (BadArtefact, BadPublicKey, PlaceAway) as error:
                raise _refused(error) from error
            return Shelf(versions=versions_of(self._journal), previous=previous_of(self._journal))

    def report(self, version: str) -> VersionReport:
        """One of them. Raises: Refused `unknown_version` (404), and as `shelf`."""
        row = next((each for each in self.shelf().versions if each.version == version), None)
        if row is None:
            raise unknown(version)
        registry = self._registry()
        try:
            card, manifest = self._card(registry, version)
            stored = registry.evaluation(version)
        except FileNotFoundError as error:
            raise _refused(BadArtefact("version_missing", f"there is no version {version}")) from error
        except (BadArtefact, PlaceAway) as error:
            raise _refused(error) from error
        if stored is None:
            return VersionReport(row=row, card=card, manifest=manifest)
        try:
            kept, evaluation = kept_of(stored, version, registry.public_keys)
        except BadArtefact as error:
            return VersionReport(row=row, card=card, manifest=manifest, evaluation_problem=error.code)
        return VersionReport(
            row=row,
            card=card,
            manifest=manifest,
            evaluation=evaluation,
            evaluated_at=kept.at,
            evaluated_by=kept.by,
        )

    def _read_on(self) -> list[Entry]:
        registry = self._registry()
        if registry.newest_sequence() < len(self._journal):
            self._journal = []
        try:
            return registry.journal(self._journal)
        except BadArtefact:
            return registry.journal() if self._journal else registry.journal(self._journal)

    def _card(self, registry: ModelRegistry, version: str) -> tuple[ModelCard, Manifest]:
        with self._turn:
            known = self._cards.get(version)
            if known is None:
                stored = registry.signed_file(version, MANIFEST)
                known = _decoded(registry.signed_file(version, CARD)), declaration.decode(stored)
                self._cards[version] = known
                if len(self._cards) > KEPT_CARDS:
                    self._cards.popitem(last=False)
            return known

    def _registry(self) -> ModelRegistry:
        try:
            return ModelRegistry(self._place, public_keys(self._key_sources))
        except BadPublicKey as error:
            raise _refused(error) from error


class FolderBook:
    """The one version in MODEL_DIR: nobody wrote down who put it there, and when."""

    is_registry: Final = False

    def __init__(self, model_dir: Path, model: Callable[[], Model | None]) -> None:
        self._model_dir = model_dir
        self._model = model

    def shelf(self) -> Shelf:
        """The version in use, or nothing."""
        return Shelf(versions=[], previous=None)

    def report(self, version: str) -> VersionReport:
        """The version in use, with its card where there is one that was signed with it.

        Raises: Refused `unknown_version` (404), `registry_refused` (502).
        """
        model = self._model()
        if model is None or model.version != version:
            raise unknown(version)
        row = VersionRow(version=version, state="active", registered_at=model.manifest.span.last, registered_by="")
        try:
            content = read_regular(self._model_dir / CARD, most_bytes=MOST_MANIFEST_BYTES)
        except FileNotFoundError:
            return VersionReport(row=row, manifest=model.manifest)
        except (BadArtefact, PlaceAway) as error:
            raise _refused(error) from error
        if model.manifest.files.get(CARD) != hashlib.sha256(content).hexdigest():
            return VersionReport(row=row, manifest=model.manifest)  # of the next version, which is being put in place
        try:
            return VersionReport(row=row, manifest=model.manifest, card=_decoded(content))
        except BadArtefact as error:
            raise _refused(error) from error


def _decoded(content: bytes) -> ModelCard:
    try:
        return decode_card(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadArtefact("bad_card", "the model card cannot be read") from error


def unknown(version: str) -> Refused:
    """Nobody registered it."""
    return Refused("unknown_version", "No version of the model has this name.", status=404)


def _refused(error: BadArtefact | BadPublicKey | PlaceAway) -> Refused:
    if isinstance(error, PlaceAway):
        text = "The registry of models does not answer now; the model in use goes on answering."
        return Refused("registry_unavailable", text, status=503, retry_after_seconds=5)
    code = error.code if isinstance(error, BadArtefact) else "model_keys_unreadable"
    return Refused("registry_refused", f"What the registry holds is not to be believed: {code}.", status=502)
