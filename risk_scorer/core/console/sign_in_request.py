"""One request to be signed in, made of a secret that the browser keeps: nothing of it is stored here.

The browser's cookie holds the secret; state, nonce and verifier are its digests, so whoever comes back without that
cookie has begun no sign-in here, and a code that was stolen elsewhere does not fit.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256

from msgspec import Struct


class SignInRequest(Struct, frozen=True):
    """`max_age` is how old the proof may be, in seconds, where a second factor is asked for."""

    secret: str
    max_age: int | None = None

    @property
    def state(self) -> str:
        return _derived("state", self.secret)

    @property
    def nonce(self) -> str:
        return _derived("nonce", self.secret)

    @property
    def verifier(self) -> str:
        """RFC 7636, section 4.1: 43 characters at least."""
        return _derived("verifier", self.secret)

    @property
    def challenge(self) -> str:
        """RFC 7636, section 4.2, S256."""
        return _text(sha256(self.verifier.encode("ascii")).digest())

    def is_answered_by(self, state: str) -> bool:
        """Whether an answer with this state is one to this request."""
        return hmac.compare_digest(self.state.encode(), state.encode("utf-8", "replace"))


def _derived(use: str, secret: str) -> str:
    return _text(sha256(f"{use} {secret}".encode()).digest())


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
