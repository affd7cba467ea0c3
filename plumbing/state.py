"""A service's own directory of secrets, and the sealing of what is kept at rest."""

import errno
import os
import re
import stat
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from plumbing.randomness import Randomness, SystemRandomness

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_NONCE_BYTES = 12
"""Source: NIST SP 800-38D, section 8.2: 96-bit nonces."""
_KEY_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Unsealable(Exception):
    """The sealed bytes were altered, or sealed with another key or for another purpose."""


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


class Vault:
    """Seals small values (private keys, TOTP seeds) so that a copy of the database alone reveals none of them."""

    def __init__(self, key: bytes, randomness: Randomness | None = None) -> None:
        if len(key) < _KEY_BYTES:
            raise ValueError("a vault needs a key of at least 32 bytes")
        self._key = key
        self._randomness = randomness or SystemRandomness()

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose; keys of different purposes tell nothing about each other (HKDF-SHA256)."""
        return self._derive(f"derive:{purpose}")

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """The value under AES-256-GCM, bound to its purpose."""
        nonce = self._randomness.bytes(_NONCE_BYTES)
        return nonce + AESGCM(self._derive("seal")).encrypt(nonce, plain, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """The value that was sealed for this purpose.

        Raises:
            Unsealable: it was altered, or sealed with another key or for another purpose.
        """
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return AESGCM(self._derive("seal")).decrypt(nonce, rest, purpose.encode())
        except (InvalidTag, ValueError):
            raise Unsealable("sealed bytes that this vault did not make for this purpose") from None

    def _derive(self, label: str) -> bytes:
        # Source: RFC 5869, section 2.3; the label is the "info" that keeps purposes apart.
        kdf = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=f"riskgate/{label}".encode())
        return kdf.derive(self._key)
