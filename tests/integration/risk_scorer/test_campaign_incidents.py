"""A campaign's incident ends with it, and goes on when it is back, on both databases."""

import random

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.activity.incident_rows import IncidentRows
from risk_scorer.core.incidents.incident import Incident, IncidentChange
from risk_scorer.flows.incidents import incident_message
from risk_scorer.flows.ports import Announcement
from tests.campaign_crowds import NOW, bots, people
from tests.integration.risk_scorer.campaign_events import campaigns, done, incident_rows, watch_of

pytestmark = pytest.mark.anyio
Chance = random.Random
HOUR = 3600.0


async def incidents(rows: IncidentRows) -> list[Incident]:
    return (await rows.page(state=None, owner=None, before="", limit=9)).incidents


def attack(database: Database, began: float, *, network: str = "45.9") -> None:
    done(database, bots(12, Chance(1), began=began, network=network))


async def test_an_incident_ends_with_its_campaign_and_goes_on_when_it_is_back(
    database: Database, clock: FixedClock
) -> None:
    """Under one id, with its owner, its evidence and a line for each turn."""
    watch, rows = watch_of(database, clock), incident_rows(database, clock)
    done(database, people(30, Chance(1)))
    attack(database, NOW - HOUR)
    watch.look()
    [first] = await incidents(rows)
    await rows.change(first.incident_id, IncidentChange(by="soc/jane", why="mine", state="acknowledged", owner="jane"))
    clock.advance(7 * HOUR)
    watch.look()
    [ended] = await incidents(rows)
    assert (ended.state, ended.closed_at, ended.owner) == ("closed", clock.now(), "jane")
    assert (ended.timeline[-1].text, ended.timeline[-1].by) == ("it ended: nothing of it was seen for 6 hours", "")
    clock.advance(24 * HOUR)
    attack(database, clock.now() - HOUR)
    watch.look()
    [campaign], [back] = campaigns(database), await incidents(rows)
    assert (back.incident_id, back.subject) == (first.incident_id, campaign.campaign_id)
    assert (back.state, back.closed_at, back.owner, back.sightings) == ("open", None, "jane", 2)
    assert [each.what for each in back.timeline] == ["opened", "assigned", "acknowledged", "closed", "reopened"]


async def test_what_a_person_closed_stays_closed(database: Database, clock: FixedClock) -> None:
    """A campaign that is back then opens another incident, and its end finds nothing to close."""
    watch, rows = watch_of(database, clock), incident_rows(database, clock)
    done(database, people(30, Chance(1)))
    attack(database, NOW - HOUR)
    watch.look()
    [first] = await incidents(rows)
    await rows.change(first.incident_id, IncidentChange(by="soc/jane", why="a test of ours", state="closed"))
    clock.advance(7 * HOUR)
    watch.look()
    assert [each.version for each in await incidents(rows)] == [2]
    clock.advance(24 * HOUR)
    attack(database, clock.now() - HOUR)
    watch.look()
    found = {each.state: each.incident_id for each in await incidents(rows)}
    assert found["closed"] == first.incident_id
    assert found["open"] != first.incident_id


async def test_an_end_and_a_return_are_told_at_once(database: Database, clock: FixedClock) -> None:
    """Though the pace of updates would have them wait."""
    watch, rows = watch_of(database, clock), incident_rows(database, clock)
    done(database, people(30, Chance(1)))
    attack(database, NOW - HOUR)
    watch.look()
    told = []

    async def tell() -> int:
        def render(incident: Incident, members: object, was_told: bool) -> Announcement:
            told.append((incident.state, was_told))
            return incident_message(incident, members, was_told, tenant="t")  # type: ignore[arg-type]

        return await rows.tell(most=9, render=render)

    await tell()
    clock.advance(7 * HOUR)
    watch.look()
    await tell()
    clock.advance(HOUR)
    attack(database, clock.now() - HOUR)
    watch.look()
    await tell()
    assert told == [("open", False), ("closed", True), ("open", True)]
