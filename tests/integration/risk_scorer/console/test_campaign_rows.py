"""What the pages of campaigns read, on both databases."""

import random

import pytest

from plumbing.clock import FixedClock
from plumbing.database import Database
from risk_scorer.adapters.console.campaign_rows import CampaignRows
from risk_scorer.adapters.console.campaign_seen import CampaignSightings
from risk_scorer.adapters.console.projection import Projection
from risk_scorer.adapters.lesson_rows import SEE
from risk_scorer.core.campaigns.sighting import FAILED
from risk_scorer.core.console.campaign import MemberPlace
from risk_scorer.core.incidents.incident import IncidentChange
from risk_scorer.core.lessons import Taught, encode_taught
from tests.campaign_crowds import BOT_JA4, NOW, bots, people
from tests.integration.risk_scorer.campaign_events import campaigns, done, incident_rows, watch_of
from tests.integration.risk_scorer.console.logins import log, login, taken

pytestmark = pytest.mark.anyio


def failure(user: str) -> Taught:
    return Taught(
        user_id=user, ts=NOW - 50.0, outcome="failure", ip="203.0.113.9", ja4="t13d-python", zone="", utc_offset_s=0,
        latitude=None, longitude=None, accuracy_km=50.0, is_shared=False, taught_network=False,
        **dict.fromkeys(("prefix", "asn_key", "country", "device_type", "os", "browser", "browser_version"), ""),
        **dict.fromkeys(("device_id", "ja4h", "ja4s"), ""),
    )  # fmt: skip


async def test_a_campaign_with_its_incident_and_its_members_page_by_page(database: Database, clock: FixedClock) -> None:
    """Also when the incident is closed; every member once, the last seen first; the list says the same."""
    done(database, [*people(30, random.Random(1)), *bots(12, random.Random(1))])
    watch_of(database, clock).look()
    [known] = campaigns(database)
    rows = CampaignRows(database)
    first = await rows.one(known.campaign_id, after=None, limit=5)
    assert first is not None
    assert first.incident is not None
    assert (first.incident.state, first.signals[0].accounts) == ("open", 12)
    seen, place = list(first.members), first.next
    while place is not None:
        page = await rows.one(known.campaign_id, after=place, limit=5)
        assert page is not None
        seen, place = [*seen, *page.members], page.next
    assert [each.user_id for each in seen] == [
        each.user_id for each in sorted(seen, key=lambda each: (-each.last_seen, each.user_id))
    ]
    assert {each.user_id for each in seen} == {f"bot-{number}" for number in range(12)}
    assert await rows.members_among(known.campaign_id, ["bot-1", "person-1"]) == ["bot-1"]
    await incident_rows(database, clock).change(
        first.incident.incident_id, IncidentChange(by="mara", why="done", state="closed")
    )
    found = await rows.page(state="open", after="", limit=5)
    assert found is not None
    [line] = found.lines
    assert line.incident is not None
    assert (line.campaign, line.incident.state, len(line.signals)) == (known, "closed", 4)
    assert await rows.page(state="", after="x/y", limit=5) is None
    assert await rows.one("cmp_nobody", after=MemberPlace(NOW, "a"), limit=5) is None
    assert await rows.open_ones() == 1


async def test_what_accounts_did_is_read_of_each_and_counted(database: Database, clock: FixedClock) -> None:
    """Events, sign-ins and failures of these accounts alone, within the span; a refresh is counted and says nothing."""
    done(database, bots(2, random.Random(1), began=NOW - 600.0, events=10, every=30.0))
    log(
        database,
        login("in", ts=NOW - 100.0, user_id="bot-0", ja4=BOT_JA4),
        login("by-timer", ts=NOW - 90.0, user_id="bot-0", kind="refresh"),
        login("before", ts=NOW - 9_000.0, user_id="bot-0"),
        login("of-another", ts=NOW - 100.0, user_id="person-1"),
    )
    await taken(Projection(database, clock=clock))
    for user in ("bot-0", "person-1"):
        taught = failure(user)
        database.write_sync(
            lambda tx, taught=taught: tx.run(  # type: ignore[misc]
                SEE,
                event_id=f"failed:{taught.user_id}",
                seen_at=NOW - 50.0,
                login_id=None,
                lesson=encode_taught(taught),
            )
        )
    seen = await CampaignSightings(database).seen(["bot-0", "bot-1"], first=NOW - 700.0, last=NOW, step=600.0)
    of_first = [each for each in seen.sightings if each.account == "bot-0"]
    assert len(of_first) == 10 + 1 + 1
    assert [each.address for each in of_first if each.marks & FAILED] == ["203.0.113.9"]
    assert {each.account for each in seen.sightings} == {"bot-0", "bot-1"}
    assert {user: sum(counts.values()) for user, counts in seen.counts.items()} == {"bot-0": 13, "bot-1": 10}
    assert set(seen.counts["bot-0"]) == {0, 1}
