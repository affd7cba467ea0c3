"""Joins the parts that look for campaigns, in a process that does nothing else. No rule lives here."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from plumbing.clock import Clock, SystemClock
from plumbing.database import Database
from plumbing.randomness import Randomness, SystemRandomness
from plumbing.refusals import Refused
from risk_scorer.adapters.activity.campaign_communities import Leiden
from risk_scorer.adapters.activity.campaign_past import PastRows
from risk_scorer.adapters.activity.campaign_rows import CampaignRows
from risk_scorer.adapters.activity.campaign_sources import ActivityEvents, FailedLogins, LoginLog
from risk_scorer.adapters.activity.campaign_told import SignalOutbox
from risk_scorer.adapters.activity.incident_rows import IncidentRows
from risk_scorer.assembly import ANNOUNCEMENTS
from risk_scorer.flows.activity.campaign_ports import Incidents, MemberTold
from risk_scorer.flows.activity.campaigns import CampaignWatch, Looked
from risk_scorer.settings import Settings

DAY_SECONDS: Final = 86_400.0
PREFIX: Final = "cmp"
REST: Final = 3.0
"""After a look, so many times what it took passes before the next: a quarter of a core at most, however large the
window."""

BEAT_SECONDS: Final = 30.0
"""So often at the least it is said that the process goes on, while it waits for the next look."""

log = structlog.get_logger(__name__)


def _nobody_asks() -> None:
    """Nobody asks whether the process goes on."""


class Heart:
    """A file whose time of change says when the process last went on; a probe looks how old it is."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def beat(self) -> None:
        """Say that it goes on. Where that cannot be written, the probe finds an old file: it fails closed."""
        try:
            self._file.touch()
        except OSError as error:
            log.warning("heart_not_heard", reason=error.strerror)


def campaign_watch(
    database: Database,
    *,
    clock: Clock,
    randomness: Randomness,
    window_seconds: float,
    kept_days: int,
    told: MemberTold | None,
    incidents: Incidents | None,
    beat: Callable[[], None] = _nobody_asks,
) -> CampaignWatch:
    """What looks for campaigns in that database. Raises: LibraryMissing."""
    return CampaignWatch(
        sources=(LoginLog(database), FailedLogins(database), ActivityEvents(database)),
        past=PastRows(database),
        store=CampaignRows(database, kept_seconds=kept_days * DAY_SECONDS, told=told, incidents=incidents),
        partition=Leiden(),
        clock=clock,
        new_id=lambda: randomness.event_id(PREFIX),
        window_seconds=window_seconds,
        beat=beat,
    )


def watch_of(
    settings: Settings, database: Database, *, window_seconds: float, beat: Callable[[], None] = _nobody_asks
) -> CampaignWatch:
    """As the settings say; what is to be told, whoever serves on the same state tells. Raises: LibraryMissing."""
    clock, randomness = SystemClock(), SystemRandomness()
    incidents = IncidentRows(
        database,
        clock=clock,
        randomness=randomness,
        announce_to=None if settings.announce_url is None else ANNOUNCEMENTS,
        wake_delivery=_nobody_here,
    )
    return campaign_watch(
        database,
        clock=clock,
        randomness=randomness,
        window_seconds=window_seconds,
        kept_days=settings.event_retention_days,
        told=None if settings.session_signal_url is None else SignalOutbox(),
        incidents=incidents,
        beat=beat,
    )


def _nobody_here() -> None:
    """Nothing is delivered by this process."""


def follow(
    watch: CampaignWatch,
    stop: threading.Event,
    tell: Callable[[Looked], None],
    *,
    every_seconds: float,
    beat: Callable[[], None] = _nobody_asks,
) -> None:
    """Look, again and again, until `stop` is set; storage that is away is asked again next time. A look that takes
    long is followed by a longer pause."""
    while not stop.is_set():
        beat()
        pause = every_seconds
        try:
            looked = watch.look()
        except Refused as refused:
            log.warning("campaigns_not_looked_at", reason=refused.code)
        else:
            if looked is not None:
                tell(looked)
                pause = max(pause, REST * looked.seconds)
        _rest(stop, pause, beat)


def _rest(stop: threading.Event, seconds: float, beat: Callable[[], None]) -> None:
    """Wait so long, or until `stop` is set."""
    while seconds > 0 and not stop.wait(min(seconds, BEAT_SECONDS)):
        seconds -= BEAT_SECONDS
        beat()
