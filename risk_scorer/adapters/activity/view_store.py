"""The store as views ask it, on a thread that reads, and for a bounded time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from plumbing.database import Database, Transaction
from risk_scorer.adapters.activity.views import ALL
from risk_scorer.core.abuse.view import Value

PATIENCE_SECONDS: Final = 10.0
"""As long as somebody looks at a page that does not come. A PostgreSQL server gives up after its own limit before."""


class ViewStore:
    """Answers on one consistent view of what is committed."""

    def __init__(self, database: Database, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._database = database
        self._patience_seconds = patience_seconds

    async def ask(self, name: str, values: Mapping[str, Value]) -> list[dict[str, Any]]:
        """The rows of the view of that name. Raises: Refused; 503 `took_too_long`."""

        def job(tx: Transaction) -> list[dict[str, Any]]:
            with tx.within(self._patience_seconds):
                return ALL[name].ask(tx, values)

        return await self._database.read_at_length(job)
