"""One person's erasure: from what this process has in memory, and from the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from plumbing.bodies import refuse_unsafe_text


class Forgets(Protocol):
    """Has people in memory."""

    def __call__(self, user_id: str, /) -> None:
        """Have nothing of this person any more."""
        ...


class Erase:
    """Erase people. `stored` deletes what the database has of a person and says how much that was."""

    def __init__(self, *, stored: Callable[[str], object], memories: tuple[Forgets, ...]) -> None:
        self._stored = stored
        self._memories = memories

    async def person(self, user_id: str) -> object:
        """Leave nothing of this person; how much there was. Belongs to the event loop. Raises: Refused."""
        refuse_unsafe_text(user_id, "$.user_id")
        self._forget(user_id)
        found = await asyncio.to_thread(self._stored, user_id)
        self._forget(user_id)  # what was looked up while the database had it still
        return found

    def _forget(self, user_id: str) -> None:
        for forget in self._memories:
            forget(user_id)
