"""A service's own directory of secrets."""

import errno
import os
import re
import stat
from pathlib import Path
from typing import Self

from plumbing.randomness import Randomness, SystemRandomness

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class DamagedSecret(ValueError):
    """A secret's file has another length than the secret; the text is one line and shows none of it."""


class StateDir:
    """A directory that only its owner may enter, holding secrets that are made on first use."""

    def __init__(self, path: Path, randomness: Randomness) -> None:
        self.path = path
        self._randomness = randomness

    @classmethod
    def open(cls, path: str | os.PathLike[str], randomness: Randomness | None = None) -> Self:
        """The directory, made if it is missing.

        One that is there already and open to other users is refused, not closed: it may be somebody's (`/tmp`, `/srv`),
        and whoever could write into it may have put a key of theirs there before us.

        Raises: OSError, whose `strerror` says what is wrong with the place.
        """
        place = Path(path).absolute()
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if place.stat().st_mode & _OTHERS:
            raise PermissionError(errno.EACCES, "other users may enter the directory (chmod 700 closes it)", str(place))
        return cls(place, randomness or SystemRandomness())

    def holds(self, name: str) -> bool:
        """Whether the secret of that name was made already."""
        return (self.path / name).exists()

    def secret(self, name: str, n_bytes: int = 32) -> bytes:
        """The secret of that name; the first caller makes it, and all callers in all processes get the same one."""
        if not _NAME.fullmatch(name):
            raise ValueError("a secret's name is lower-case letters, digits, dot, dash or underscore")
        file = self.path / name
        try:
            found = file.read_bytes()
        except FileNotFoundError:
            self._publish(file, self._randomness.bytes(n_bytes))
            found = file.read_bytes()
        if len(found) != n_bytes:
            raise DamagedSecret(f"the secret {name} has {len(found)} bytes where {n_bytes} are expected")
        return found

    def keep(self, name: str, secret: bytes) -> None:
        """Put a secret that was made elsewhere in place; one of that name that is there already stays.

        Raises: OSError.
        """
        if not _NAME.fullmatch(name):
            raise ValueError("a secret's name is lower-case letters, digits, dot, dash or underscore")
        self._publish(self.path / name, secret)

    def series(self, name: str, n_bytes: int = 32) -> list[bytes]:
        """The secrets `name.1`, `name.2` and so on as far as they were made, the oldest first.

        Raises: OSError, DamagedSecret.
        """
        found: list[bytes] = []
        while self.holds(f"{name}.{len(found) + 1}"):
            found.append(self.secret(f"{name}.{len(found) + 1}", n_bytes))
        return found

    def add_to_series(self, name: str, n_bytes: int = 32) -> int:
        """Make the next secret of a series; its number. Two who do it at once make one."""
        number = len(self.series(name, n_bytes)) + 1
        self.secret(f"{name}.{number}", n_bytes)
        return number

    def _publish(self, file: Path, content: bytes) -> None:
        """Put a complete file in place, or nothing if another process was first: no reader ever sees half a secret."""
        draft = file.with_name(f".{file.name}.{self._randomness.token(8)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        _sync_directory(self.path)


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
