"""The one place where chance is drawn: secrets, ids and jitter."""

import os
import random
import uuid
from base64 import urlsafe_b64encode
from typing import Protocol

EVENT_ID_BYTES = 16
"""128 bits: two ids of ours never meet."""


class Randomness(Protocol):
    """Draws unpredictable values; everything that needs them is given one."""

    def token(self, n_bytes: int = 32) -> str:
        """URL-safe base64 text of `n_bytes` random bytes, without padding."""
        ...

    def bytes(self, n: int) -> bytes: ...

    def uuid(self) -> str:
        """A random (version 4) UUID in its usual text form."""
        ...

    def event_id(self, prefix: str) -> str:
        """`prefix_` and 22 URL-safe characters."""
        ...

    def uniform(self, low: float, high: float) -> float:
        """A number between the two, for jitter; never for secrets."""
        ...


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


class SystemRandomness:
    """Draws from the operating system's generator, fit for secrets."""

    def token(self, n_bytes: int = 32) -> str:
        return _text(os.urandom(n_bytes))

    def bytes(self, n: int) -> bytes:
        return os.urandom(n)

    def uuid(self) -> str:
        return str(uuid.uuid4())

    def event_id(self, prefix: str) -> str:
        return f"{prefix}_{_text(os.urandom(EVENT_ID_BYTES))}"

    def uniform(self, low: float, high: float) -> float:
        return random.uniform(low, high)  # noqa: S311 - spreads retries out, guards nothing


class SeededRandomness:
    """The same draws for the same seed; for tests only, its secrets can be foretold."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)  # noqa: S311 - being foretold is its purpose

    def token(self, n_bytes: int = 32) -> str:
        return _text(self._source.randbytes(n_bytes))

    def bytes(self, n: int) -> bytes:
        return self._source.randbytes(n)

    def uuid(self) -> str:
        return str(uuid.UUID(bytes=self._source.randbytes(16), version=4))

    def event_id(self, prefix: str) -> str:
        return f"{prefix}_{_text(self._source.randbytes(EVENT_ID_BYTES))}"

    def uniform(self, low: float, high: float) -> float:
        return self._source.uniform(low, high)
