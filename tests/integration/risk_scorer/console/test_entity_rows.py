"""What stands beside the sign-ins of a value, on both databases."""

import random

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.console.entity_rows import EntityRows
from risk_scorer.adapters.console.projection import Projection
from tests.campaign_crowds import BOT_JA4, NOW, bots, people
from tests.integration.risk_scorer.campaign_events import done, watch_of
from tests.integration.risk_scorer.console.logins import log, login, taken

pytestmark = pytest.mark.anyio


async def test_hours_campaigns_and_incidents_of_a_value(database: Database, clock: FixedClock) -> None:
    """Whole hours ago, within the span; a campaign by what it shares or by who is in it, named once."""
    log(database, *(login(f"e{ago}", ts=NOW - ago, device_id="d-1") for ago in (1.0, 3599.0, 3600.0, 7300.0, 90_000.0)))
    await taken(Projection(database, clock=clock))
    done(database, [*people(30, random.Random(1)), *bots(12, random.Random(1))])
    watch_of(database, clock).look()
    rows = EntityRows(database)
    assert await rows.hours("device_id", "d-1", now=NOW, seconds=86_400.0) == ({0: 2, 1: 1, 2: 1}, True)
    sharing, of_people, incidents = await rows.beside([("ja4", BOT_JA4)], ["bot-1"])
    assert [(each.state, each.members) for each in sharing] == [("open", 12)]
    assert of_people == []
    assert [each.kind for each in incidents] == ["campaign"]
    sharing, of_people, incidents = await rows.beside([("device", "d-1")], ["bot-1", "person-1"])
    assert sharing == []
    assert [each.members for each in of_people] == [12]
    assert await rows.beside([], []) == ([], [], [])
