"""The store as views ask it, on a thread that reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plumbing.database import Database
from risk_scorer.adapters.activity.views import ALL
from risk_scorer.core.abuse.view import Value


class ViewStore:
    """Answers on one consistent view of what is committed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, name: str, values: Mapping[str, Value]) -> list[dict[str, Any]]:
        """The rows of the view of that name. Raises: Refused."""
        return await self._database.read_in_thread(lambda tx: ALL[name].ask(tx, values))
