"""Texts that people typed and could not save yet: they prove anew who they are, or the gateway is away. In this process
alone, and not for long: whoever comes back too late, or to another process, types again."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

MOST_KEPT: Final = 20
KEPT_SECONDS: Final = 1_800.0


class KeptDraft(Struct, frozen=True, kw_only=True):
    """A text with its reason, and the version of the page on which it was typed."""

    document: str
    reason: str
    version: int
    at: float


class KeptDrafts:
    """One for each person; the oldest goes when there are too many."""

    def __init__(self) -> None:
        self._kept: dict[str, KeptDraft] = {}

    def keep(self, name: str, draft: KeptDraft) -> None:
        """Until it is taken."""
        self._kept.pop(name, None)
        self._kept[name] = draft
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]

    def take(self, name: str, now: float) -> KeptDraft | None:
        """Theirs, once."""
        found = self._kept.pop(name, None)
        return found if found is not None and now - found.at <= KEPT_SECONDS else None
