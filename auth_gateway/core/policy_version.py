"""A policy document that was saved: its text, its number, who saved it and why. What the text means, others say."""

from typing import Final

import msgspec

LARGEST_SAVED: Final = 128 * 1024
"""Bytes; a form that brings it back is about twice as long. What is larger is kept in a file (LOGIN_POLICY_FILE)."""
NEWEST: Final = 999_999_999
"""Before this number stands every version."""
NO_VERSION: Final = 0
"""That of a gateway in which nothing was ever saved: its document is empty."""


class PolicyVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One saved document. `client_id` is the program that passed it on, "" for a command; `restored` the version whose
    text was brought back, 0 for a text of its own."""

    version: int = NO_VERSION
    at: float = 0.0
    digest: str = ""
    document: str = ""
    rules: int = 0
    by: str = ""
    why: str = ""
    client_id: str = ""
    restored: int = NO_VERSION

    @property
    def etag(self) -> str:
        """The strong validator of it, RFC 9110 section 8.8.3."""
        return f'"{self.version}"'


NOTHING_SAVED: Final = PolicyVersion()


def version_of(etag: str) -> int | None:
    """The number that a validator names; None for what is none of ours (a weak one, several, `*`)."""
    inner = etag.strip()
    if len(inner) < 3 or inner[0] != '"' or inner[-1] != '"':
        return None
    number = inner[1:-1]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
