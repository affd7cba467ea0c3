"""Random credentials that one service gives to another. Only their digest is stored."""

import hashlib
import hmac

from plumbing.randomness import Randomness

CREDENTIAL_BYTES = 32


def new_credential(randomness: Randomness, prefix: str) -> tuple[str, bytes]:
    """The text to hand out once, like `rgs_` and 43 characters, and the digest to keep.

    A plain digest is enough: 256 random bits cannot be guessed, so there is nothing for a slow hash to slow down.
    """
    text = f"{prefix}_{randomness.token(CREDENTIAL_BYTES)}"
    return text, digest(text)


def digest(text: str) -> bytes:
    """SHA-256 of the credential's text; any text has one, so a hostile one is merely unknown."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def matches(text: str, expected_digest: bytes) -> bool:
    """Whether the text is the credential of that digest, in a time that tells nothing about where they differ."""
    return hmac.compare_digest(digest(text), expected_digest)
