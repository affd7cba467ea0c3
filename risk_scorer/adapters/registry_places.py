"""Where a registry lies: a folder of this machine, or any address that fsspec knows (s3://, memory://).

Readers believe nothing that is not signed, so a place needs no trust. Reads are bounded and take regular files alone. A
file that is created is there whole or not at all, and only the first of two gets it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from risk_scorer.adapters.private_copies import content_of
from risk_scorer.core.signatures import BadArtefact

if TYPE_CHECKING:
    from risk_scorer.adapters.remote_places import RemotePlace

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""A link is not followed, and a pipe that stands for a file makes nobody wait."""
_LOCK = ".lock"


class PlaceAway(OSError):
    """The place does not answer: nothing is known of what it holds."""


class ChangedMeanwhile(Exception):
    """Somebody else has written what was to be replaced."""


class BadPlace(Exception):
    """An address that no registry can be at; the text is one line for whoever wrote it."""


class Place(Protocol):
    """Files by their path below the registry, parts joined by `/`. Every method blocks, and raises PlaceAway."""

    def read(self, path: str, *, most_bytes: int) -> bytes:
        """The file. Raises: FileNotFoundError, BadArtefact (`too_large`, `not_a_file`)."""
        ...

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted, hidden ones aside; none where there is no such folder."""
        ...

    def state(self, folder: str) -> tuple[tuple[str, str], ...]:
        """Name and state of each file of a folder: another state is another content."""
        ...

    def create(self, path: str, content: bytes) -> None:
        """A new file, durably. Raises: FileExistsError."""
        ...

    def copy_in(self, path: str, source: Path) -> None:
        """A new file with the content of this one, durably. Raises: FileExistsError."""
        ...

    def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        """That file with another content, at once, if it still holds what was expected (None: is not there).

        Raises: ChangedMeanwhile.
        """
        ...


def place_at(address: str) -> Place:
    """The place that an address names: a path, file://…, or what fsspec opens. Raises: BadPlace."""
    scheme, separator, rest = address.partition("://")
    if not address or "::" in address:
        raise BadPlace("a registry is a folder, or an address such as s3://bucket/models")
    if not separator or scheme == "file":
        return FolderPlace(Path(rest if separator else address))
    return _remote(address)


def _remote(address: str) -> RemotePlace:
    try:
        from risk_scorer.adapters.remote_places import RemotePlace

        return RemotePlace(address)
    except ImportError as error:
        needed = f"the package {error.name}" if error.name else "a package that is not installed"
        raise BadPlace(f"a registry at such an address needs {needed} (s3:// has the extra s3)") from error
    except ValueError as error:
        raise BadPlace(f"no registry can be at such an address: {error}") from error
    except Exception as error:
        # Some of fsspec's kinds connect in order to be made, each with errors of its own, which quote the address.
        raise BadPlace(f"nothing can be opened at such an address: {type(error).__name__}") from error


class FolderPlace:
    """A folder of this machine, or one that is mounted."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str, *, most_bytes: int) -> bytes:
        """As the Protocol says."""
        return read_regular(self._at(path), most_bytes=most_bytes)

    def names(self, folder: str) -> list[str]:
        """As the Protocol says."""
        with _answering():
            try:
                return sorted(name for name in os.listdir(self._at(folder)) if not name.startswith("."))
            except (FileNotFoundError, NotADirectoryError):
                return []

    def state(self, folder: str) -> tuple[tuple[str, str], ...]:
        """As the Protocol says."""
        found = []
        for name in self.names(folder):
            with contextlib.suppress(OSError):
                seen = os.lstat(self._at(folder) / name)
                found.append((name, f"{seen.st_ino} {seen.st_mtime_ns} {seen.st_size}"))
        return tuple(found)

    def create(self, path: str, content: bytes) -> None:
        """As the Protocol says."""
        with _answering(), self._draft(path) as (draft, target):
            draft.write_bytes(content)
            _sync(draft)
            os.link(draft, target)

    def copy_in(self, path: str, source: Path) -> None:
        """As the Protocol says."""
        with _answering(), self._draft(path) as (draft, target):
            with source.open("rb") as read, draft.open("wb") as written:
                while piece := read.read(1 << 20):
                    written.write(piece)
            _sync(draft)
            os.link(draft, target)

    def replace(self, path: str, content: bytes, *, expected: bytes | None) -> None:
        """As the Protocol says."""
        with _answering(), self._draft(path) as (draft, target), self._alone():
            found = target.read_bytes() if target.exists() else None
            if found != expected:
                raise ChangedMeanwhile(path)
            draft.write_bytes(content)
            _sync(draft)
            os.replace(draft, target)

    def _at(self, path: str) -> Path:
        parts = PurePosixPath(path).parts
        if ".." in parts or path.startswith("/"):
            raise ValueError(f"{path} does not lie in the registry")
        return self._root.joinpath(*parts)

    @contextlib.contextmanager
    def _draft(self, path: str) -> Iterator[tuple[Path, Path]]:
        """A hidden name beside the target, gone in the end; what was put in place lasts."""
        target = self._at(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (
            FileExistsError,
            FileNotFoundError,
        ) as error:  # a file, or a link to nowhere; they say nothing of `path`
            raise PlaceAway(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error
        draft = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}.part")
        try:
            yield draft, target
            _sync(target.parent)
        finally:
            draft.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        handle = os.open(self._root / _LOCK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def read_regular(path: Path, *, most_bytes: int) -> bytes:
    """A regular file, read once. Raises: FileNotFoundError, PlaceAway, BadArtefact (`too_large`, `not_a_file`)."""
    with _answering():
        try:
            handle = os.open(path, _READ)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
                raise BadArtefact("not_a_file", f"{path.name} is not a regular file") from error
            raise
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            os.close(handle)
            raise BadArtefact("not_a_file", f"{path.name} is not a regular file")
        with os.fdopen(handle, "rb") as file:
            if found.st_size > most_bytes:  # it may have grown since, which is seen while it is read
                raise BadArtefact("too_large", f"{path.name} is larger than {most_bytes} bytes")
            return content_of(file, path.name, most_bytes=most_bytes)


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """A missing and an existing file are answers; every other fault is that the place is away."""
    try:
        yield
    except (FileNotFoundError, FileExistsError, PlaceAway):
        raise
    except OSError as error:
        raise PlaceAway(error.errno, error.strerror or type(error).__name__) from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
