"""A scorer with a campaign in its tables: twelve bots that act in one rhythm among people, with sign-ins of all."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from plumbing.clock import Clock, FixedClock
from plumbing.database import Database
from risk_scorer.adapters.console.projection import Projection
from risk_scorer.flows.ports import ScoredEvent
from tests.campaign_crowds import BOT_JA4, NOW, bots, people
from tests.integration.risk_scorer.campaign_events import campaigns, done, watch_of
from tests.integration.risk_scorer.console.logins import log, login, taken
from tests.integration.risk_scorer.service import Running, running

BOTS = 12
MARKUP = '"><img src=x onerror=alert(1)>'
ADDRESS = "45.9.0.7"
"""Of the first bot."""
CAMPAIGN = "cmp__T_rPJJQt5dKm1KLaWNjIQ"
"""As the seed of whoever looks has it."""


def attacked(database: Database, clock: Clock) -> None:
    """The campaign is in these tables, as of the last hour."""
    crowd = [each for each in bots(BOTS, random.Random(1)) if each.account != "bot-0"]
    hostile = bots(1, random.Random(2), name=MARKUP, began=NOW - 3600.0)
    every = [*people(30, random.Random(1)), *crowd, *hostile]
    done(database, (msgspec.structs.replace(each, moment=each.moment + clock.now() - NOW) for each in every))
    watch_of(database, clock).look()
    [found] = campaigns(database)
    assert found.campaign_id == CAMPAIGN


@asynccontextmanager
async def crowded(place: Path) -> AsyncIterator[tuple[Running, str]]:
    """The scorer and the campaign's id; nobody is signed in."""
    clock = FixedClock(NOW)
    async with running(place, clock=clock) as service:
        log(service.scorer.database, *_logins())
        await taken(Projection(service.scorer.database, clock=clock))
        attacked(service.scorer.database, clock)
        del service.client.headers["authorization"]
        yield service, CAMPAIGN


def _logins() -> Iterator[ScoredEvent]:
    """The bots' sign-ins, one an hour ago each, and one of somebody long ago."""
    yield login("of-long-ago", ts=NOW - 8 * 86_400.0, user_id="person-1", ip="81.0.1.9", device_id="device-person-1")
    for number in range(BOTS):
        name = f"{MARKUP}-0" if number == 0 else f"bot-{number}"
        yield login(
            f"of-{number}",
            score=90.0 if number % 2 else 65.0,
            ts=NOW - 3600.0 + number,
            user_id=name,
            ip=f"45.9.{number}.7",
            device_id=f"device-bot-{number}",
            ja4=BOT_JA4,
        )
