"""The model in use: read once into memory, checked, tried, and replaced while we serve when a new one is published.

Fails closed twice over: without a good model nothing is scored (503), and a bad new one is refused while the last good
one keeps answering. Bytes are read once and then checked, so nothing can be exchanged between the check and the use.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog

from risk_scorer.core.artefact import FOR_ENGINEERS, HISTORIES, SIGNATURE, BadArtefact, histories, load
from risk_scorer.core.model import Model

WATCH_SECONDS: Final = 2.0
MAX_MODEL_BYTES: Final = 2 * 1024**3
PUBLIC_KEY_BYTES: Final = 32
"""Source: RFC 8032, section 5.1.5."""

log = structlog.get_logger(__name__)
Fingerprint = tuple[tuple[str, int, int], ...]
Adopt = Callable[[Model, Iterable[tuple[str, bytes]]], None]
"""Prepares what goes with a model before it answers; gets each person's encoded history."""


class BadPublicKey(Exception):
    """A configured model key is neither a file with an Ed25519 public key nor one in base64."""


class ModelStore:
    """The current model, and why there is none or no newer one."""

    def __init__(
        self, model_dir: Path, key_sources: Sequence[str], adopt: Adopt, *, report_only: Collection[str] = ()
    ) -> None:
        """`adopt` prepares what goes with a model (its histories) before the model answers, outside the event loop.

        Rules that are `report_only` move no score, whatever model comes.
        """
        self._model_dir = model_dir
        self._key_sources = key_sources
        self._adopt = adopt
        self._report_only = report_only
        self._model: Model | None = None
        self._seen: Fingerprint = ()
        self.problem: str | None = "model_missing"

    def current(self) -> Model | None:
        """The model in use, None while there is no good one."""
        return self._model

    def reload(self) -> bool:
        """Take the published model if it is good; True when it is in use now.

        Blocks: for the start and for a thread.
        """
        self._seen = fingerprint(self._model_dir, self._key_sources)
        try:
            model, files = checked_model(self._model_dir, self._key_sources)
            self._adopt(model, histories(files[HISTORIES]))
        except FileNotFoundError:
            self._refuse("model_missing")
        except BadPublicKey:
            self._refuse("model_keys_unreadable")
        except BadArtefact as error:
            self._refuse(error.code)
        except OSError as error:
            self._refuse("model_unreadable", error=str(error.strerror))
        except Exception as error:
            # A model that passes every check and still cannot be used must not end the one that can.
            self._refuse("model_unusable", error=repr(error))
        else:
            self._model, self.problem = model.reporting_only(self._report_only), None
            log.info("model_in_use", model_version=model.version)
            return True
        return False

    def _refuse(self, problem: str, **details: str) -> None:
        self.problem = problem
        kept = self._model.version if self._model else None
        log.warning("model_refused", problem=problem, kept_version=kept, **details)

    async def watch(self) -> None:
        """Look for a newly published model every two seconds, for ever."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self._has_changed():
                await asyncio.to_thread(self.reload)

    def _has_changed(self) -> bool:
        """The signature is written last; after a failed attempt any change is a reason to try again."""
        now = fingerprint(self._model_dir, self._key_sources)
        if self.problem is not None:
            return now != self._seen
        return signature_of(now) is not None and signature_of(now) != signature_of(self._seen)


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
    paths = [path for path in sorted(model_dir.iterdir()) if is_published(path)]
    if sum(path.stat().st_size for path in paths) > MAX_MODEL_BYTES:
        raise BadArtefact("model_too_large", "the files of the model are larger than 2 GiB")
    return {path.name: path.read_bytes() for path in paths}


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
