"""A text that somebody typed and could not save yet: they prove anew who they are, or the gateway is away."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

MOST_KEPT: Final = 20
"""More people than ever write a policy at once; with the longest text that is taken, some megabytes."""
KEPT_SECONDS: Final = 1_800.0
"""Long enough to find a phone; whoever comes back later looks at what is in force by then, and types again."""


class KeptDraft(Struct, frozen=True, kw_only=True):
    """A text with its reason, and the version of the page on which it was typed."""

    document: str
    reason: str
    version: int
    at: float

    def names(self, user_id: str) -> bool:
        """Whether it speaks of that person."""
        return user_id in self.document or user_id in self.reason
