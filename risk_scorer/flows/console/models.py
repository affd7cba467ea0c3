"""The model's versions, the report of one, and how the one in use does: what the console's page of the model reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from msgspec import Struct

from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.contract.shadow import ShadowScore, ShadowState
from risk_scorer.core.console.model_versions import Shelf, VersionReport
from risk_scorer.core.drift_report import DriftReport

SHADOW_SECONDS: Final = 24 * 3600.0
MOST_COUNTED: Final = 50_000
"""Of the day: they stand beside each other in an index, and more would take longer than a page may."""
MOST_DIFFERING: Final = 20
LEVELS: Final = ("low", "medium", "high")


class ModelBook(Protocol):
    """Where versions are known. Methods block and raise Refused."""

    @property
    def is_registry(self) -> bool: ...

    def shelf(self) -> Shelf: ...

    def report(self, version: str) -> VersionReport: ...


class ShadowCounts(Protocol):
    """What a shadow made of live logins. Everything raises Refused."""

    async def counts(self, active: str, shadow: str, since: float, *, most: int) -> dict[tuple[str, str], int]:
        """The newest logins, so many at the most, by (the active model's level, the shadow's level)."""
        ...

    async def differing(self, active: str, shadow: str, since: float, limit: int, *, most: int) -> list[ShadowScore]:
        """The newest of these whose levels differ."""
        ...


class Beside(Struct, frozen=True, kw_only=True):
    """A day of a shadow: how many logins by the active model's level and the shadow's, and some that differ; of a day
    that had more than are counted, the newest."""

    state: ShadowState
    logins: int = 0
    is_whole: bool = True
    rows: tuple[tuple[str, tuple[int, ...]], ...] = ()
    differing: tuple[ShadowScore, ...] = ()


class Models:
    """Reads; nothing is changed from here: to promote takes the signing key, which no scorer has."""

    def __init__(
        self,
        book: ModelBook,
        *,
        shadow: Callable[[], ShadowState],
        kept: ShadowCounts,
        drift: Callable[[], Awaitable[DriftReport | None]],
        clock: Clock,
    ) -> None:
        self._book = book
        self._shadow = shadow
        self._kept = kept
        self._drift = drift
        self._clock = clock

    @property
    def is_registry(self) -> bool:
        """Whether versions come from a registry."""
        return self._book.is_registry

    async def shelf(self) -> tuple[Shelf, Refused | None]:
        """Every version, or why there is none to see: the rest of the page is worth showing all the same."""
        try:
            return await asyncio.to_thread(self._book.shelf), None
        except Refused as refused:
            return Shelf(versions=[], previous=None), refused

    async def report(self, version: str) -> VersionReport:
        """All that is known of one. Raises: Refused."""
        return await asyncio.to_thread(self._book.report, version)

    async def drift(self) -> DriftReport | None:
        """The last look at live logins. Raises: Refused."""
        return await self._drift()

    async def beside(self) -> Beside:
        """What the shadow made of the last day. Raises: Refused."""
        state = self._shadow()
        if state.active is None or state.shadow is None:
            return Beside(state=state)
        since = self._clock.now() - SHADOW_SECONDS
        counts = await self._kept.counts(state.active, state.shadow, since, most=MOST_COUNTED)
        rows = tuple((one, tuple(counts.get((one, other), 0) for other in LEVELS)) for one in LEVELS)
        differing = await self._kept.differing(state.active, state.shadow, since, MOST_DIFFERING, most=MOST_COUNTED)
        logins = sum(counts.values())
        return Beside(state=state, logins=logins, is_whole=logins < MOST_COUNTED, rows=rows, differing=tuple(differing))
