"""Incidents in both databases: one for each key, folded, paced, changed by one at a time, told once."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.randomness import SeededRandomness
from plumbing.refusals import Refused
from plumbing.statements import Statement
from risk_scorer.adapters.activity.incident_rows import IncidentRows
from risk_scorer.adapters.erasure import erase_person
from risk_scorer.adapters.tables import outbox
from risk_scorer.core.incidents.incident import Evidence, IncidentChange, Sighting
from risk_scorer.flows.incidents import BURST, Telling, incident_message
from risk_scorer.incident_desk import incident_rows
from tests.integration.risk_scorer.service import Running, running

pytestmark = pytest.mark.anyio
NOW = 1_760_000_000.0
RENDER = partial(incident_message, tenant="t")
UNREADABLE = ("a\0b", "a\r\nb", "a\u202eb")
CLOSE = IncidentChange(by="soc/jane", why="the person was called", state="closed")
TOLD = Statement(select(outbox.c.event_type, outbox.c.body).order_by(outbox.c.created_at))


def seen(user: str, score: float = 70.0, *, code: str = "several_actors", at: float = NOW) -> Sighting:
    cause = Evidence(code=code, text="two browsers", points=40.0, at=at, session_id="ses-1")
    return Sighting(kind="user", subject=user, at=at, score=score, evidence=(cause,), members=(user,))


@pytest.fixture
def rows(database: Database, clock: FixedClock, randomness: SeededRandomness) -> IncidentRows:
    return IncidentRows(
        database, clock=clock, randomness=randomness, announce_to="announcements", wake_delivery=lambda: None
    )


def told(database: Database) -> list[tuple[str, dict[str, Any]]]:
    return [(row[0], msgspec.json.decode(row[1])["data"]) for row in database.read(lambda tx: tx.all(TOLD))]


async def test_one_person_has_one_incident_until_it_is_closed(rows: IncidentRows) -> None:
    """What is seen after that opens another one."""
    first = await rows.see(seen("alice"))
    assert await rows.see(seen("alice", code="volume")) == first
    assert await rows.see(seen("bob")) != first
    await rows.change(first, CLOSE)
    assert await rows.see(seen("alice")) != first
    assert await rows.counts() == {"closed": 1, "open": 2}


async def test_many_who_see_one_person_at_once_open_one_incident(rows: IncidentRows, database: Database) -> None:
    """And none of what they saw is lost."""
    ids = [rows.new_id() for _ in range(24)]

    def see(number: int) -> str:
        sighting = seen("alice", code=f"c{number}")
        return database.write_sync(lambda tx: rows.sight(tx, sighting, new_id=ids[number]))

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(see, range(24)))
    assert len(found) == 1
    shown = await rows.find(found.pop())
    assert shown is not None
    assert shown.incident.sightings == 24
    assert {each.code for each in shown.incident.evidence} == {f"c{number}" for number in range(24)}


async def test_an_incident_is_told_when_it_opens_rises_and_ends(
    rows: IncidentRows, database: Database, clock: FixedClock
) -> None:
    """And what is no news waits for its pace, folded into one message."""
    incident_id = await rows.see(seen("alice"))
    assert await rows.tell(most=10, render=RENDER) == 1
    assert await rows.tell(most=10, render=RENDER) == 0
    for number in range(5):
        await rows.see(seen("alice", code=f"c{number}"))
    assert await rows.tell(most=10, render=RENDER) == 0
    clock.advance(300)
    assert await rows.tell(most=10, render=RENDER) == 1
    await rows.see(seen("alice", 85.0))
    assert await rows.tell(most=10, render=RENDER) == 1
    await rows.change(incident_id, CLOSE)
    assert await rows.tell(most=10, render=RENDER) == 1
    kinds = ["incident.opened", "incident.updated", "incident.updated", "incident.closed"]
    found = told(database)
    assert [kind for kind, _ in found] == kinds
    assert [data["sightings"] for _, data in found] == [1, 6, 7, 7]
    assert found[-1][1]["members"] == ["alice"]
    assert found[-1][1]["level"] == "high"


async def test_two_who_tell_at_once_tell_it_once(rows: IncidentRows, database: Database) -> None:
    """Whoever marks the row writes the message."""
    await rows.see(seen("alice"))
    other = IncidentRows(
        database, clock=FixedClock(NOW), randomness=SeededRandomness(8), announce_to="a", wake_delivery=lambda: None
    )
    assert await rows.tell(most=10, render=RENDER) + await other.tell(most=10, render=RENDER) == 1


async def test_a_storm_of_incidents_is_told_at_a_bounded_pace(
    rows: IncidentRows, database: Database, clock: FixedClock
) -> None:
    """The rest wait, the longest first, and nothing is lost."""
    for number in range(30):
        await rows.see(seen(f"u{number}"))
        clock.advance(0.001)
    telling = Telling(rows, clock=clock, per_minute=60.0, tenant="t")
    assert await telling.once() == BURST
    assert await telling.once() == 0
    assert {data["subject"] for _, data in told(database)} == {f"u{number}" for number in range(int(BURST))}
    clock.advance(5)
    assert await telling.once() == 5
    clock.advance(60)
    assert await telling.once() == 5
    assert {data["subject"] for _, data in told(database)} == {f"u{number}" for number in range(30)}


async def test_whoever_did_not_see_the_newest_cannot_change_it(rows: IncidentRows) -> None:
    """Of two analysts at once the second looks again."""
    incident_id = await rows.see(seen("alice"))
    mine = IncidentChange(by="soc/jane", why="mine", owner="soc/jane", version=1)
    assert await rows.change(incident_id, mine) is not None
    with pytest.raises(Refused) as refused:
        await rows.change(incident_id, msgspec.structs.replace(mine, owner="soc/joe"))
    assert refused.value.code == "incident_changed"
    await rows.change(incident_id, CLOSE)
    with pytest.raises(Refused) as refused:
        await rows.change(incident_id, msgspec.structs.replace(CLOSE, state="open"))
    assert refused.value.code == "incident_closed"
    assert await rows.change("inc_nothing", CLOSE) is None


async def test_pages_go_through_all_of_them_once(rows: IncidentRows) -> None:
    """Also where several were changed in one moment."""
    expected = {await rows.see(seen(f"u{number}", at=NOW + number // 3)) for number in range(10)}
    found: list[str] = []
    before = ""
    while True:
        page = await rows.page(state="open", owner=None, before=before, limit=3)
        found += [each.incident_id for each in page.incidents]
        if page.next is None:
            break
        before = page.next
    assert len(found) == 10
    assert set(found) == expected
    assert (await rows.page(state="closed", owner=None, before="", limit=3)).incidents == []
    assert (await rows.page(state=None, owner="soc", before="", limit=3)).incidents == []
    for odd in ("x", "nan,a", "1", ","):
        with pytest.raises(Refused):
            await rows.page(state=None, owner=None, before=odd, limit=3)


async def test_what_the_gateway_did_stands_in_the_timeline(rows: IncidentRows, database: Database) -> None:
    """Of the incident that is not closed; without one nothing is written."""
    incident_id = await rows.see(seen("alice"))
    note = lambda key: database.write_sync(lambda tx: rows.note_response(tx, key, text="logout", at=NOW + 1))  # noqa: E731
    assert note("user:alice") is True
    assert note("user:bob") is False
    shown = await rows.find(incident_id)
    assert shown is not None
    assert shown.incident.timeline[-1].text == "logout"


async def test_old_closed_incidents_are_forgotten(rows: IncidentRows, clock: FixedClock) -> None:
    """Open ones are not, however old."""
    closed = await rows.see(seen("alice"))
    await rows.see(seen("bob"))
    await rows.change(closed, CLOSE)
    assert await rows.prune(NOW) == 0
    assert await rows.prune(NOW + 1) == 1
    assert await rows.counts() == {"open": 1}


async def test_an_erased_person_is_in_no_incident(rows: IncidentRows, database: Database) -> None:
    """Their own is gone, and that of a campaign goes on without them."""
    cause = Evidence(code="shared_ja4", text="one fingerprint", points=40.0, at=NOW)
    campaign = Sighting(kind="campaign", subject="cmp", at=NOW, score=80, evidence=(cause,), members=("alice", "bob"))
    theirs, shared = await rows.see(seen("alice")), await rows.see(campaign)
    erase_person(database, "alice")
    assert await rows.find(theirs) is None
    shown = await rows.find(shared)
    assert shown is not None
    assert shown.members == ["bob"]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, webhook_url="http://127.0.0.1:9/") as found:
        yield found


async def test_incidents_are_asked_and_changed_by_http(service: Running) -> None:
    """With the refusals of every endpoint, and nothing echoed."""
    incident_id = await incident_rows(service.scorer).see(seen("alice"))
    client, path = service.client, f"/incidents/{incident_id}"
    listed = (await client.get("/incidents", params={"state": "open"})).json()
    assert listed["counts"] == {"open": 1}
    assert [each["incident_id"] for each in listed["incidents"]] == [incident_id]
    shown = (await client.get(path)).json()
    assert shown["members"] == ["alice"]
    assert "alice" not in shown["recommended_response"]
    body = {"by": "soc/jane", "why": "mine", "owner": "soc/jane", "state": "acknowledged"}
    changed = await client.patch(path, json=body)
    assert changed.json()["incident"]["owner"] == "soc/jane"
    for method, place, given, status in (
        ("GET", "/incidents/inc_nothing", None, 404),
        ("GET", "/incidents/%00", None, 404),
        ("GET", "/incidents?state=odd", None, 422),
        ("GET", "/incidents?limit=0", None, 422),
        ("GET", "/incidents?before=x", None, 400),
        ("GET", "/incidents?owner=%00", None, 422),
        ("PATCH", "/incidents/inc_nothing", body, 404),
        ("PATCH", path, {"by": "", "why": "x"}, 422),
        ("PATCH", path, {"by": "x", "why": "x", "score": 0}, 422),
        *(("PATCH", path, {**body, name: text}, 422) for name in ("by", "why", "owner") for text in UNREADABLE),
        ("PATCH", path, {**body, "by": " "}, 422),
        ("PATCH", path, {**body, "version": 1}, 409),
    ):
        refused = await client.request(method, place, json=given)
        assert refused.status_code == status, (method, place, refused.text)
        assert refused.json()["error"]
    alone = await client.patch(path, json=body, headers={"authorization": "Bearer rgs_nobody"})
    assert alone.status_code == 401


async def test_what_the_gateway_tells_of_a_session_goes_into_its_persons_incident(service: Running) -> None:
    """Once, however often it is told, and into nobody else's."""
    mine, other = (
        await incident_rows(service.scorer).see(seen("alice")),
        await incident_rows(service.scorer).see(seen("bob")),
    )
    notice = {"session_id": "ses-1", "user_id": "alice", "at": NOW + 1}
    for state, reason in (("started", ""), ("ended", "session_risk"), ("ended", "session_risk")):
        told = {**notice, "state": state, "reason": reason, "at": NOW + (state == "ended")}
        assert (await service.client.post("/sessions", json=told)).status_code == 200
    lines = (await service.client.get(f"/incidents/{mine}")).json()["incident"]["timeline"]
    assert [line["text"] for line in lines if line["what"] == "responded"] == ["session ses-1 ended: session_risk"]
    assert len((await service.client.get(f"/incidents/{other}")).json()["incident"]["timeline"]) == 1
