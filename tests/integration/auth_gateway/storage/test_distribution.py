"""Events on their way from the audit trail into the outbox, on both databases."""

import asyncio
import itertools
import json
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.destinations import StoredDestinations
from auth_gateway.adapters.storage.event_log import StoredEventLog
from auth_gateway.adapters.storage.tables import outbox as table
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.destination import Destination, Filter, Privacy
from auth_gateway.core.facts import Facts
from auth_gateway.flows import storms
from auth_gateway.flows.distribution import MOST_AT_ONCE, MOST_MESSAGES, Distributor, Teller
from plumbing.database import Database
from webhooks.outbox import Outbox

NOW = 1_700_000_000.0
CLOCK = itertools.count(NOW + 1, 0.01)
SIEM = Destination(destination_id="dst_siem", name="siem", kind="webhook", url="https://siem.example/in")
DENIED = AuditEvent(
    event_id="evt_1",
    ts=NOW,
    kind="login.denied",
    user_id="alice",
    client_id="web",
    ip="198.51.100.9",
    decision="deny",
    rule="high",
    score=91.0,
    level="high",
    facts=Facts(path="login", user_agent="Firefox", new=("device",)),
)


def distributor(database: Database) -> Distributor:
    return Distributor(
        database=database,
        event_log=StoredEventLog(),
        destinations=StoredDestinations(),
        outbox=Outbox(table),
        teller=Teller(tenant="acme", threshold=80.0, key_of=lambda name: name.encode()),
        now=CLOCK.__next__,
        told=lambda: None,
    )


def record(database: Database, *lines: AuditEvent) -> None:
    trail = StoredAuditTrail()
    database.write_sync(lambda tx: [trail.record(tx, line) for line in lines])


def listen(database: Database, *destinations: Destination) -> None:
    stored = StoredDestinations()
    assert database.write_sync(lambda tx: [stored.add(tx, each, b"sealed") for each in destinations])


def outbox_of(database: Database, destination_id: str) -> list[dict[str, Any]]:
    """The bodies that wait for it, in their order."""
    bodies = select(table.c.body).where(table.c.endpoint == destination_id).order_by(table.c.created_at)
    with database.engine.connect() as connection:
        return [json.loads(body) for (body,) in connection.execute(bodies)]


def test_an_event_goes_to_each_destination_that_wants_it_once(database: Database) -> None:
    """With the shape of its type, under its own id; a second turn finds nothing more to tell."""
    quiet = msgspec.structs.replace(SIEM, destination_id="dst_quiet", name="quiet", filter=Filter(types=("account.*",)))
    listen(database, SIEM, quiet)
    record(database, DENIED)
    assert asyncio.run(distributor(database).turn()) == 1
    assert asyncio.run(distributor(database).turn()) == 0
    denied, high_risk = outbox_of(database, "dst_siem")
    assert (denied["type"], high_risk["type"]) == ("login.denied", "login.high_risk")
    assert denied["data"] == {
        "event_id": "evt_1",
        "version": 1,
        "tenant": "acme",
        "user_id": "alice",
        "client_id": "web",
        "ip_prefix": "198.51.100.0/24",
        "decision": "deny",
        "rule": "high",
        "risk_score": 91.0,
        "risk_level": "high",
        "new": ["device"],
        "techniques": ["T1078"],
    }
    assert high_risk["data"]["event_id"] == "evt_1.high_risk"
    assert outbox_of(database, "dst_quiet") == []


def test_names_are_told_where_they_are_asked_for(database: Database) -> None:
    """Also of lines that do not hold them: the account does."""
    listen(database, msgspec.structs.replace(SIEM, privacy=Privacy(ip="full", user="name", user_agent=True)))
    record(database, DENIED)
    asyncio.run(distributor(database).turn())
    data = outbox_of(database, "dst_siem")[0]["data"]
    assert (data["username"], data["ip"], data["user_agent"]) == ("alice", "198.51.100.9", "Firefox")


def test_sessions_that_end_under_one_id_are_told_one_by_one(database: Database) -> None:
    """Signing out everywhere ends several sessions at once."""
    listen(database, SIEM)
    ended = [
        AuditEvent(event_id="evt_2", ts=NOW, kind="session.revoked", user_id="alice", session_id=session)
        for session in ("s1", "s2")
    ]
    record(database, *ended)
    asyncio.run(distributor(database).turn())
    assert [body["data"]["session_id"] for body in outbox_of(database, "dst_siem")] == ["s1", "s2"]


def test_without_destinations_lines_only_cease_to_wait(database: Database) -> None:
    """Whoever comes later is told of what comes later."""
    record(database, DENIED)
    assert asyncio.run(distributor(database).turn()) == 1
    listen(database, SIEM)
    assert asyncio.run(distributor(database).turn()) == 0
    assert outbox_of(database, "dst_siem") == []


def test_a_line_that_the_outbox_does_not_take_holds_up_no_other(database: Database) -> None:
    """Two lines under one id and of one kind are a fault; the others go all the same."""
    listen(database, SIEM)
    failed = msgspec.structs.replace(DENIED, kind="login.failed", score=None)
    record(database, failed, failed, msgspec.structs.replace(failed, event_id="evt_9"))
    assert asyncio.run(distributor(database).turn()) == 3
    assert [body["data"]["event_id"] for body in outbox_of(database, "dst_siem")] == ["evt_1", "evt_9"]


def test_many_destinations_make_no_login_wait_longer(database: Database) -> None:
    """A transaction holds so many messages, however many lines wait; what is left is the next one's."""
    listen(database, *(msgspec.structs.replace(SIEM, destination_id=f"dst_{n}", name=f"s{n}") for n in range(5)))
    record(database, *(msgspec.structs.replace(DENIED, event_id=f"evt_{n}", score=1.0) for n in range(60)))
    mine = distributor(database)
    assert [asyncio.run(mine.turn()) for _ in range(3)] == [MOST_MESSAGES // 5, 60 - MOST_MESSAGES // 5, 0]
    assert len(outbox_of(database, "dst_4")) == 60


def test_gateways_beside_each_other_tell_each_event_once(database: Database, database_url: str) -> None:
    """Whoever comes second finds nothing left of what the first one took; the order stays."""
    listen(database, SIEM)
    count = 3 * MOST_AT_ONCE
    record(database, *(msgspec.structs.replace(DENIED, event_id=f"evt_{n}", score=1.0) for n in range(count)))
    other = Database.open(database_url, metadata=database.metadata)

    async def race() -> None:
        async def drain(each: Database) -> None:
            mine = distributor(each)
            while each.read(lambda tx: StoredEventLog().waiting(tx, 1)):
                await mine.turn()

        await asyncio.gather(*(drain(each) for each in (database, other)))

    asyncio.run(race())
    other.close()
    assert [body["data"]["event_id"] for body in outbox_of(database, "dst_siem")] == [f"evt_{n}" for n in range(count)]


def test_a_storm_is_told_as_one_and_nothing_is_lost(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the rate: the first of a kind in full, with how many more; another person's is not held under it; a SIEM
    gets each; and what was folded is in the trail as before."""
    monkeypatch.setattr(storms, "BURST", 3.0)
    monkeypatch.setattr(storms, "RATE_PER_SECOND", 0.0)
    ocsf = msgspec.structs.replace(SIEM, destination_id="dst_ocsf", name="ocsf", format="ocsf")
    listen(database, SIEM, ocsf)
    calm = msgspec.structs.replace(DENIED, kind="login.failed", score=None, level=None)
    lines = [msgspec.structs.replace(calm, event_id=f"evt_{number}", ts=NOW + number) for number in range(216)]
    bobs = msgspec.structs.replace(calm, event_id="evt_bob", user_id="bob")
    record(database, *lines, bobs)
    distributing = distributor(database)
    while asyncio.run(distributing.turn()):
        pass
    bodies = outbox_of(database, "dst_siem")
    assert [body["data"]["event_id"] for body in bodies] == ["evt_0", "evt_1", "evt_2", "evt_3", "evt_bob"]
    assert [body["data"].get("folded", {}).get("count", 0) for body in bodies] == [0, 0, 0, 212, 0]
    assert bodies[3]["data"]["folded"]["last_ts"] == NOW + 215
    assert len(outbox_of(database, "dst_ocsf")) == 217
    held = database.read(lambda tx: Outbox(table).recent(tx, 9_999))
    waits = {row.message_id: row.next_attempt_at - row.created_at for row in held if row.endpoint == "dst_siem"}
    assert waits["msg_evt_2"] == 0.0
    assert waits["msg_evt_3"] == pytest.approx(storms.HOLD_SECONDS, abs=0.01)
