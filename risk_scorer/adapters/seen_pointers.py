"""How far each pointer of a registry was seen, kept in the scorer's own state.

Whoever can write to a registry and has no key could put an old pointer back, and with it a model that was withdrawn.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec
import structlog

from risk_scorer.core.registry import Pointer, digest
from risk_scorer.core.signatures import BadArtefact

log = structlog.get_logger(__name__)


class _Seen(msgspec.Struct, frozen=True):
    """The newest pointer that was ever believed."""

    sequence: int
    sha256: str


class SeenPointers:
    """Remembers, over restarts, how far each pointer was seen, so that an old one that is put back is not believed."""

    def __init__(self, path: Path | None) -> None:
        """`path` is a file of the scorer's own state; None remembers within the process alone."""
        self._path = path
        self._known: dict[str, _Seen] = {}

    def admit(self, registry: str, pointer: Pointer, stored: bytes) -> None:
        """Takes note of this pointer. Raises BadArtefact("pointer_replayed") for one older than what was seen."""
        name, now = f"{registry} {pointer.pointer}", _Seen(pointer.sequence, digest(stored))
        with _Held(self._path):
            known = self._read()
            before = known.get(name)
            if before is not None and now.sequence < before.sequence:
                raise BadArtefact(
                    "pointer_replayed",
                    f"the pointer {pointer.pointer} is number {now.sequence}, and number {before.sequence} was seen",
                )
            if before is not None and now.sequence == before.sequence and now != before:
                raise BadArtefact("pointer_replayed", f"the pointer {pointer.pointer} was signed twice for one number")
            if before != now:
                self._write({**known, name: now})

    def _read(self) -> dict[str, _Seen]:
        if self._path is None:
            return self._known
        try:
            stored = msgspec.json.decode(self._path.read_bytes(), type=dict[str, _Seen])
        except FileNotFoundError:
            stored = {}
        except (OSError, msgspec.MsgspecError) as error:
            # What is in memory still protects this process.
            log.warning("seen_pointers_unreadable", reason=type(error).__name__)
            stored = {}
        return {**stored, **{name: seen for name, seen in self._known.items() if _is_newer(seen, stored.get(name))}}

    def _write(self, known: dict[str, _Seen]) -> None:
        self._known = known
        if self._path is None:
            return
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        try:
            draft.write_bytes(msgspec.json.encode(known, order="deterministic"))
            os.replace(draft, self._path)
        except OSError as error:
            log.warning("seen_pointers_not_kept", reason=error.strerror)


def _is_newer(seen: _Seen, stored: _Seen | None) -> bool:
    return stored is None or seen.sequence > stored.sequence


class _Held:
    """One process at a time at that file; without a place to lock, none is kept out."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._handle: int | None = None

    def __enter__(self) -> None:
        if self._path is None:
            return
        try:
            self._handle = os.open(self._path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._handle, fcntl.LOCK_EX)
        except OSError as error:
            log.warning("seen_pointers_not_locked", reason=error.strerror)

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
