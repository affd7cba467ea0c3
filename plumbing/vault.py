"""The sealing of what is kept at rest, under keys that are not kept with it."""

from collections.abc import Callable
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from plumbing.randomness import Randomness, SystemRandomness

_NONCE_BYTES: Final = 12
"""Source: NIST SP 800-38D, section 8.2: 96-bit nonces."""
KEY_BYTES: Final = 32
_NAMED: Final = b"\x02"
"""What is sealed by another key than the first begins with this and the key's name."""
_NAME_BYTES: Final = 4

SealingKeys = Callable[[], list[bytes]]
"""Reads the keys that were made after the first, the oldest first."""


class Unsealable(Exception):
    """The sealed bytes were altered, or sealed with another key or for another purpose."""


class Vault:
    """Seals small values (private keys, TOTP seeds) so that a copy of the database alone reveals none of them.

    The first key is for ever: other keys are derived from it, and digests that are keyed by them cannot be made anew.
    What is sealed can be: `later` reads the keys that came after it, the youngest of which seals. It is asked again
    when something names a key that is not known, and by `reload`; each process learns of a new key so.
    """

    def __init__(self, key: bytes, randomness: Randomness | None = None, *, later: SealingKeys | None = None) -> None:
        if len(key) < KEY_BYTES:
            raise ValueError("a vault needs a key of at least 32 bytes")
        self._key = key
        self._randomness = randomness or SystemRandomness()
        self._later = later
        self._named: dict[bytes, bytes] = {}
        self.reload()

    def reload(self) -> None:
        """Take over the keys that another process made.

        Raises: OSError, DamagedSecret (`plumbing.state`).
        """
        if self._later is not None:
            self._named = {_name(key): key for key in self._later()}

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose; keys of different purposes tell nothing about each other (HKDF-SHA256)."""
        return _derived(self._key, f"derive:{purpose}")

    def seal(self, plain: bytes, purpose: str) -> bytes:
        """The value under AES-256-GCM, bound to its purpose."""
        nonce = self._randomness.bytes(_NONCE_BYTES)
        if not self._named:
            return nonce + _sealer(self._key).encrypt(nonce, plain, purpose.encode())
        name = next(reversed(self._named))
        return _NAMED + name + nonce + _sealer(self._named[name]).encrypt(nonce, plain, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """The value that was sealed for this purpose.

        Raises:
            Unsealable: it was altered, or sealed with another key or for another purpose.
        """
        name, rest = sealed[1 : 1 + _NAME_BYTES], sealed[1 + _NAME_BYTES :]
        if sealed.startswith(_NAMED):
            if name not in self._named:
                self.reload()
            key = self._named.get(name)
            plain = None if key is None else _opened(key, rest, purpose)
            if plain is not None:
                return plain
        plain = _opened(self._key, sealed, purpose)  # its nonce may begin like a name
        if plain is None:
            raise Unsealable("sealed bytes that this vault did not make for this purpose")
        return plain

    def is_sealed_now(self, sealed: bytes, purpose: str) -> bool:
        """Whether it is sealed with the key that seals now.

        Raises: Unsealable.
        """
        if not self._named:
            return self.open(sealed, purpose) is not None
        name = next(reversed(self._named))
        is_named_so = sealed.startswith(_NAMED + name)
        return is_named_so and _opened(self._named[name], sealed[1 + _NAME_BYTES :], purpose) is not None


def _name(key: bytes) -> bytes:
    return sha256(b"riskgate/sealing-key\n" + key).digest()[:_NAME_BYTES]


def _opened(key: bytes, sealed: bytes, purpose: str) -> bytes | None:
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return _sealer(key).decrypt(nonce, rest, purpose.encode())
    except (InvalidTag, ValueError):
        return None


def _sealer(key: bytes) -> AESGCM:
    return AESGCM(_derived(key, "seal"))


def _derived(key: bytes, label: str) -> bytes:
    # Source: RFC 5869, section 2.3; the label is the "info" that keeps purposes apart.
    kdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"riskgate/{label}".encode())
    return kdf.derive(key)
