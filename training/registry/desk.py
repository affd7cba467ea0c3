"""What engineers do with a registry: register, promote, roll back, point the shadow. Each act is in the journal."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import MsgspecError

from risk_scorer.adapters.model_registry import ModelRegistry, version_path
from risk_scorer.adapters.published_folder import read_files
from risk_scorer.core.artefact import FOR_ENGINEERS, MANIFEST, SIGNATURE, load
from risk_scorer.core.card import CARD, ModelCard, decode
from risk_scorer.core.model import Model
from risk_scorer.core.registry import SHADOW, Entry, Finding, Kind, PointerName
from risk_scorer.core.signatures import BadArtefact
from training.comparing.comparison import Comparison
from training.refusals import RefusedError, WrongInputError
from training.registry.journal import Act, newest_pointer, settle, told
from training.registry.lines import LOGINS, Line, Loaded, Standing

TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A registry, whose key signs, and who does it when (epoch seconds). What is signed by `key` is trusted.

    `line` is the kind of model that all acts are about.
    """

    registry: ModelRegistry
    key: Ed25519PrivateKey
    now: float
    by: str
    line: Line = LOGINS

    def register(self, model_dir: Path, *, reason: str = "") -> tuple[str, bool]:
        """Copies a published model into the registry; its version, and whether it is new there.

        Half-way it can be done again. Raises WrongInputError("no_model"), RefusedError, BadArtefact, PlaceAway.
        """
        files, model = self._published(model_dir)
        card_in(files)
        for name in sorted(model.manifest.files):
            if name in files:
                self._put(model.version, name, files[name])
            elif name == FOR_ENGINEERS and (model_dir / name).is_file():
                self._put(model.version, name, (model_dir / name).read_bytes(), model.manifest.files[name])
        for name in (MANIFEST, SIGNATURE):
            self._put(model.version, name, files[name])
        for _ in range(TRIES):
            journal = self.settled()
            if is_registered(journal, model.version, self.line):
                return model.version, False
            try:
                told(self.registry, self._act("register", model.version, reason), self.key, journal=journal)
            except RefusedError:
                continue
            return model.version, True
        raise RefusedError("registry_changed", "others keep changing the registry; do it again")

    def promote(
        self,
        version: str,
        *,
        max_data_age_days: float,
        overridden: Collection[str] = (),
        reason: str = "",
        comparison: Comparison | None = None,
    ) -> tuple[Entry | None, tuple[Finding, ...]]:
        """Makes a version the one that decides, if it passes every gate that is not overridden.

        The journal's entry, None where it decides already, and what the gates found. Raises RefusedError
        ("gates_not_passed", after the journal has it, or `no_such_version`), BadArtefact, PlaceAway.
        """
        journal = self.settled()
        model, card = self.sound(version, journal)
        in_use = newest_pointer(journal, self.line.pointer)
        before = in_use.model_version if in_use else None
        if before == version:
            return None, ()
        standing = Standing(model=model, card=card, active=self._card_of(before), comparison=comparison)
        found = self.line.findings(standing, now=self.now, max_data_age_days=max_data_age_days)
        failed = [each for each in found if not each.passed]
        stopping = [each for each in failed if each.gate not in overridden]
        if stopping:
            refusal = self._act("refusal", version, reason, findings=found)
            told(self.registry, refusal, self.key, journal=journal)
            raise RefusedError("gates_not_passed", "; ".join(f"{each.gate}: {each.text}" for each in stopping))
        act = self._act(
            "promote",
            version,
            reason,
            moves=self.line.pointer,
            previous=before,
            findings=found,
            overridden=tuple(each.gate for each in failed),
        )
        return told(self.registry, act, self.key, journal=journal), found

    def rollback(self, *, reason: str = "") -> Entry:
        """Back to the version that decided before; done again, to the one before that.

        Raises RefusedError("no_previous"), BadArtefact when that version is damaged, PlaceAway.
        """
        journal = self.settled()
        in_use = newest_pointer(journal, self.line.pointer)
        if in_use is None or in_use.previous is None:
            raise RefusedError("no_previous", "no version decided before the one that does")
        self.sound(in_use.previous, journal)
        act = self._act(
            "rollback", in_use.previous, reason, moves=self.line.pointer, previous=_before(journal, in_use.previous)
        )
        return told(self.registry, act, self.key, journal=journal)

    def shadow(self, version: str | None, *, reason: str = "") -> Entry:
        """Lets a version score beside the one that decides; None: none does. Raises RefusedError, PlaceAway."""
        journal = self.settled()
        if version is not None:
            self.sound(version, journal)
        in_use = newest_pointer(journal, SHADOW)
        act = self._act(
            "shadow", version, reason, moves=SHADOW, previous=None if in_use is None else in_use.model_version
        )
        return told(self.registry, act, self.key, journal=journal)

    def settled(self) -> list[Entry]:
        """The journal, after every pointer stands where it says. Raises BadArtefact, PlaceAway."""
        journal = self.registry.journal()
        settle(self.registry, journal)
        return journal

    def sound(self, version: str, journal: list[Entry]) -> tuple[Loaded, ModelCard]:
        """A registered version, every file of it checked. Raises RefusedError("no_such_version"), BadArtefact."""
        if not is_registered(journal, version, self.line):
            raise RefusedError("no_such_version", f"{version} is not registered; `list` shows what is")
        return sound_of(self.registry, version, self.line)

    def _act(
        self,
        kind: Kind,
        version: str | None,
        reason: str,
        *,
        moves: PointerName | None = None,
        previous: str | None = None,
        findings: tuple[Finding, ...] = (),
        overridden: tuple[str, ...] = (),
    ) -> Act:
        return Act(
            kind=kind,
            model_version=version,
            at=self.now,
            by=self.by,
            reason=reason,
            moves=moves,
            previous=previous,
            findings=findings,
            overridden=overridden,
            artefact=self.line.artefact,
        )

    def _published(self, model_dir: Path) -> tuple[Mapping[str, bytes], Loaded]:
        try:
            files = read_files(model_dir)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise WrongInputError("no_model", f"there is no signed model in {model_dir}") from error
        except OSError as error:
            raise WrongInputError("no_model", f"{model_dir} cannot be read: {error.strerror}") from error
        return files, self.line.load(files, self.registry.public_keys)

    def _put(self, version: str, name: str, content: bytes, digest: str | None = None) -> None:
        """The file of that version; one that is there already must be the same."""
        if digest is not None and hashlib.sha256(content).hexdigest() != digest:
            raise BadArtefact("hash_mismatch", f"{name} is not the file that was signed")
        try:
            self.registry.place.create(version_path(version, name), content)
        except FileExistsError as error:
            if self.registry.file(version, name) != content:
                raise RefusedError(
                    "version_damaged", f"{name} of {version} in the registry is another file, and is never replaced"
                ) from error

    def _card_of(self, version: str | None) -> ModelCard | None:
        """The card of the version in use; a damaged one must not keep a better one out."""
        if version is None:
            return None
        try:
            return card_in(self.registry.version_files(version, self.line.manifest))
        except (FileNotFoundError, BadArtefact):
            return None


def is_registered(journal: list[Entry], version: str, line: Line = LOGINS) -> bool:
    """Whether that version was ever registered as one of this kind."""
    registered = (entry for entry in journal if entry.kind == "register" and entry.artefact == line.artefact)
    return any(entry.model_version == version for entry in registered)


def sound(registry: ModelRegistry, version: str) -> tuple[Model, ModelCard]:
    """A version of a model of logins with every file checked, and its card. Raises BadArtefact, PlaceAway."""
    files = _files(registry, version, LOGINS)
    return load(files, registry.public_keys), card_in(files)


def sound_of(registry: ModelRegistry, version: str, line: Line) -> tuple[Loaded, ModelCard]:
    """The same for any kind of model."""
    files = _files(registry, version, line)
    return line.load(files, registry.public_keys), card_in(files)


def _files(registry: ModelRegistry, version: str, line: Line) -> Mapping[str, bytes]:
    try:
        return registry.version_files(version, line.manifest)
    except FileNotFoundError as error:
        raise BadArtefact("version_missing", f"the files of {version} are not in the registry") from error


def card_in(files: Mapping[str, bytes]) -> ModelCard:
    """The card among these. Raises BadArtefact("no_card" or "bad_card")."""
    if CARD not in files:
        raise BadArtefact("no_card", "the model has no card.json: train it again")
    try:
        return decode(files[CARD])
    except (MsgspecError, UnicodeError, RecursionError) as error:
        raise BadArtefact("bad_card", "the model card cannot be read") from error


def _before(journal: list[Entry], version: str) -> str | None:
    """What decided before that version was last promoted."""
    for entry in reversed(journal):
        if entry.kind == "promote" and entry.model_version == version and entry.pointer is not None:
            return entry.pointer.previous
    return None
