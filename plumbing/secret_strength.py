"""Whether a secret that an operator set may be used: long, not out of a manual, not a few characters over and over."""

from typing import Final

FEWEST_SIGNS: Final = 8
"""Different characters that a random text of such a length has, with a wide margin."""
PUBLISHED: Final = frozenset(
    {
        "local-dev-secret",
        "supersecret",
        "secret",
        "changeme",
        "change-me",
        "password",
        "your-256-bit-secret",
        "a-string-secret-at-least-256-bits-long",
        "your-secret-key-must-be-at-least-32-characters",
        "whsec_mfkq9r8gkyqrtwjupd8ilpzio2lalasw",
    }
)
"""Secrets that stand in manuals and tutorials, in small letters: scanners try them first."""


def weakness(secret: str, *, least_bytes: int) -> str | None:
    """Why it must not be used, as the end of a sentence that begins with its name; None when it may."""
    if secret.lower() in PUBLISHED:
        return "is a published example; make your own"
    try:
        n_bytes = len(secret.encode())
    except UnicodeEncodeError:
        return "is not UTF-8"
    if n_bytes < least_bytes:
        return f"is shorter than {least_bytes} bytes"
    if len(set(secret)) < FEWEST_SIGNS:
        return "repeats a few characters; make it from random bytes"
    return None
