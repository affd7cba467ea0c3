"""Looks for campaigns again and again: read what is new, forget what is old, judge the window, write what changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import structlog
from msgspec import Struct

from plumbing.clock import Clock
from risk_scorer.core.campaigns.communities import Partition
from risk_scorer.core.campaigns.continuity import continued
from risk_scorer.core.campaigns.found import look_at
from risk_scorer.core.campaigns.window import Window
from risk_scorer.flows.activity.campaign_ports import CampaignStore, PastSource, Settled, Source

TRIES: Final = 3
"""How often a look starts over when somebody else looked meanwhile or a person was erased."""
DAY_SECONDS: Final = 86_400.0

log = structlog.get_logger(__name__)


def _unheard() -> None:
    """Nobody asks whether it goes on."""


class Looked(Struct, frozen=True, kw_only=True):
    """One look: over how many events, of which so many were read now, and what came of it."""

    at: float
    events: int
    read: int
    accounts: int
    campaigns: int
    settled: Settled
    seconds: float


class CampaignWatch:
    """Keeps the window between looks. One process at a time is enough; a second one changes nothing twice."""

    def __init__(
        self,
        *,
        sources: Sequence[Source],
        past: PastSource,
        store: CampaignStore,
        partition: Partition,
        clock: Clock,
        new_id: Callable[[], str],
        window_seconds: float = DAY_SECONDS,
        beat: Callable[[], None] = _unheard,
    ) -> None:
        """`beat` is called at each step of a look, so that one that hangs is told from one that takes long."""
        self._sources = sources
        self._past = past
        self._store = store
        self._partition = partition
        self._clock = clock
        self._new_id = new_id
        self._window_seconds = window_seconds
        self._beat = beat
        self._window: Window | None = None
        self._erasures = -1

    def look(self) -> Looked | None:
        """One look; None when others were first each time. Blocks. Raises: Refused."""
        for _ in range(TRIES):
            found = self._try()
            if found is not None:
                return found
            log.info("campaigns_looked_at_by_another")
        return None

    def _try(self) -> Looked | None:
        started, now = self._clock.monotonic(), self._clock.now()
        began = now - self._window_seconds
        before = self._store.load(now)
        if self._window is None or before.erasures != self._erasures:
            # Whoever was erased is in no log any more, and must be in no memory: all of it is read anew.
            self._window, self._erasures = Window(), before.erasures
            self._past.forget()
            for source in self._sources:
                source.rewind(began)
        read = self._read(self._window, began, now)
        self._beat()
        self._window.expire(began)
        past = self._past.past(now)
        look = look_at(self._window, self._partition, began=began, seconds=self._window_seconds, past=past)
        changes = continued(look.campaigns, before.known, now=now, new_id=self._new_id)
        seconds = self._clock.monotonic() - started
        self._beat()
        settled = self._store.settle(changes, look, after=before, now=now, seconds=seconds)
        if settled is None:
            return None
        return Looked(
            at=now,
            events=look.events,
            read=read,
            accounts=look.accounts,
            campaigns=len(look.campaigns),
            settled=settled,
            seconds=seconds,
        )

    def _read(self, window: Window, began: float, now: float) -> int:
        read = 0
        for source in self._sources:
            is_all = False
            while not is_all:
                self._beat()
                page, is_all = source.page()
                fresh = [each for each in page if began <= each.moment <= now]
                window.add(fresh)
                read += len(fresh)
        return read
