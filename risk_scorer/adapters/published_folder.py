"""A model in a folder of its own, MODEL_DIR, and the keys that may sign models."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from risk_scorer.adapters.private_copies import MAX_HISTORIES_BYTES, MAX_MODEL_BYTES, content_of
from risk_scorer.core.artefact import FOR_ENGINEERS, HISTORIES, MANIFEST, SIGNATURE, BadArtefact, load
from risk_scorer.core.model import Model

PUBLIC_KEY_BYTES: Final = 32
"""Source: RFC 8032, section 5.1.5."""

Fingerprint = tuple[tuple[str, int, int], ...]


class BadPublicKey(Exception):
    """A configured model key is neither a file with an Ed25519 public key nor one in base64."""


class State(NamedTuple):
    """What stands where models come from. `identity` changes when another one is published, None: nothing is.

    `details` change when anything does.
    """

    identity: object
    details: object


class _Claim(msgspec.Struct):
    model_version: str


class PublishedFolder:
    """The model that stands in a folder."""

    def __init__(self, model_dir: Path, key_sources: Sequence[str]) -> None:
        self._model_dir = model_dir
        self._key_sources = key_sources

    def state(self, *, thorough: bool) -> State:
        """The signature is written last: another one is another model. The rest is looked at after a refusal."""
        found = fingerprint(self._model_dir, self._key_sources)
        return State(signature_of(found), found)

    def fetch(self) -> tuple[Model, Mapping[str, bytes]]:
        """As `model_store.ModelSource` says."""
        return checked_model(self._model_dir, self._key_sources)

    def claimed_version(self) -> str | None:
        """What the manifest calls itself."""
        try:
            claim = msgspec.json.decode((self._model_dir / MANIFEST).read_bytes(), type=_Claim).model_version
        except (OSError, ValueError):
            return None
        return claim if re.fullmatch(r"[0-9a-f]{12}", claim) else None


def checked_model(model_dir: Path, key_sources: Sequence[str]) -> tuple[Model, Mapping[str, bytes]]:
    """The published model, read once and checked, and its files.

    Raises: FileNotFoundError when there is none; BadPublicKey, BadArtefact, OSError.
    """
    files = read_files(model_dir)
    return load(files, public_keys(key_sources)), files


def fingerprint(model_dir: Path, key_sources: Sequence[str]) -> Fingerprint:
    """Name, change time and size of every file that matters, cheap enough to ask for every two seconds."""
    try:
        published = sorted(model_dir.iterdir())
    except OSError:
        published = []
    found = []
    for path in [*published, *(Path(source) for source in key_sources)]:
        try:
            state = path.stat()
        except (OSError, ValueError):
            continue
        found.append((path.name, state.st_mtime_ns, state.st_size))
    return tuple(found)


def signature_of(found: Fingerprint) -> tuple[str, int, int] | None:
    """The signature's entry, None when nothing is published."""
    return next((entry for entry in found if entry[0] == SIGNATURE), None)


def read_files(model_dir: Path) -> Mapping[str, bytes]:
    """The published files by name.

    Raises: FileNotFoundError when there is no signed model, BadArtefact when too large.
    """
    if not (model_dir / SIGNATURE).is_file():
        raise FileNotFoundError(model_dir)
    room = MAX_MODEL_BYTES
    files: dict[str, bytes] = {}
    for path in sorted(model_dir.iterdir()):
        if is_published(path):
            is_people = path.name == HISTORIES
            limit = MAX_HISTORIES_BYTES if is_people else room
            try:
                if path.stat().st_size > limit:
                    raise BadArtefact("too_large", f"{path.name} is larger than {limit} bytes")
                with path.open("rb") as file:  # it may have grown since anybody asked for its size
                    files[path.name] = content_of(file, path.name, most_bytes=limit)
            except BadArtefact as error:
                raise BadArtefact("model_too_large", "the files of the model are larger than 2 GiB") from error
            room -= 0 if is_people else len(files[path.name])
    return files


def is_published(path: Path) -> bool:
    """Whether we read this file: not a pickle, and not one that is still being written under a hidden name."""
    return path.is_file() and path.name != FOR_ENGINEERS and not path.name.startswith(".")


def public_keys(sources: Sequence[str]) -> list[bytes]:
    """The raw Ed25519 public keys that may sign models, each given as a file or in base64. Raises: BadPublicKey."""
    return [_public_key(source) for source in sources]


def _public_key(source: str) -> bytes:
    path = Path(source)
    try:
        content = path.read_bytes() if path.is_file() else source.encode()
        if len(content) == PUBLIC_KEY_BYTES:
            return content
        key = base64.b64decode(content.strip(), validate=True)
    except (OSError, ValueError) as error:
        raise BadPublicKey from error
    if len(key) != PUBLIC_KEY_BYTES:
        raise BadPublicKey
    return key
