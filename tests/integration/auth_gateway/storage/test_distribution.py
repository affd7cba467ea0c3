"""Events on their way from the audit trail into the outbox, on both databases."""

import asyncio
import itertools
import json
from functools import partial
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.destinations import StoredDestinations
from auth_gateway.adapters.storage.event_log import StoredEventLog
from auth_gateway.adapters.storage.tables import outbox as table
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.destination import Destination, Filter, Folding, Privacy
from auth_gateway.core.facts import Facts
from auth_gateway.flows.distribution import MOST_AT_ONCE, MOST_MESSAGES, Distributor, Teller
from plumbing.database import Database
from webhooks.outbox import HOLD_SECONDS, Message, Outbox

NOW = 1_700_000_000.0
CLOCK = itertools.count(NOW + 1, 0.01)
SIEM = Destination(
    destination_id="dst_siem",
    name="siem",
    kind="webhook",
    url="https://siem.example/in",
    folding=Folding(is_on=False),
)
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


FAILED = msgspec.structs.replace(DENIED, kind="login.failed", rule="bad_password", score=None, level=None)


def storm(count: int, name: str = "evt", **changes: Any) -> list[AuditEvent]:
    """Failed logins, a tenth of a second apart."""
    return [
        msgspec.structs.replace(FAILED, event_id=f"{name}_{number}", ts=NOW + number / 10, **changes)
        for number in range(count)
    ]


def distributed(database: Database, distributing: Distributor) -> None:
    while asyncio.run(distributing.turn()):
        pass


def counted(bodies: list[dict[str, Any]]) -> list[int]:
    """How many events each message stands for."""
    return [body["data"].get("folded", {"count": 1})["count"] for body in bodies]


QUICKLY = Folding(burst=3, per_minute=0.001)


@pytest.fixture
def listening(database: Database) -> Database:
    """One who is told of three alike events one by one, and one who wants each."""
    quickly = msgspec.structs.replace(SIEM, folding=QUICKLY)
    listen(database, quickly, msgspec.structs.replace(SIEM, destination_id="dst_each", name="each"))
    return database


def test_a_storm_is_told_as_one_and_nothing_is_lost(listening: Database) -> None:
    """The first ones by themselves, then one message that waits and says how many; another person's is not among
    them; who wants each event gets each."""
    bob = msgspec.structs.replace(FAILED, event_id="evt_bob", user_id="bob", ip="203.0.113.7")
    record(listening, *storm(400), bob, *storm(20, "late"))
    distributed(listening, distributor(listening))
    bodies = outbox_of(listening, "dst_siem")
    assert [body["data"]["event_id"] for body in bodies] == ["evt_0", "evt_1", "evt_2", "evt_3", "evt_bob"]
    assert counted(bodies) == [1, 1, 1, 417, 1]
    folded = bodies[3]["data"]["folded"]
    assert (folded["first_ts"], folded["last_ts"]) == (pytest.approx(NOW + 0.3), pytest.approx(NOW + 39.9))
    assert folded["event_ids"] == [f"evt_{number}" for number in range(3, 23)]
    assert len(outbox_of(listening, "dst_each")) == 421
    kept = listening.read(lambda tx: Outbox(table).recent(tx, 9_999))
    waits = {row.message_id: row.next_attempt_at - row.created_at for row in kept if row.endpoint == "dst_siem"}
    assert waits["msg_evt_2"] == waits["msg_evt_bob"] == 0.0
    assert waits["msg_evt_3"] == pytest.approx(HOLD_SECONDS, abs=0.01)


def claimed(database: Database) -> list[Message]:
    """Whatever is next, in flight."""
    claim = partial(Outbox(table).claim, endpoint="dst_siem", now=NOW * 2, limit=1, lease_seconds=9.0)
    return database.write_sync(claim)


def test_what_a_receiver_may_have_seen_takes_in_nothing_more(listening: Database) -> None:
    """It is in flight: the next events make a message of their own, which takes in the ones after them."""
    mine = distributor(listening)
    record(listening, *storm(10, "a"))
    distributed(listening, mine)
    for _ in range(3):
        taken = claimed(listening)
        listening.write_sync(lambda tx, taken=taken: Outbox(table).delivered(tx, taken, now=NOW * 2, status=200))
    assert [message.message_id for message in claimed(listening)] == ["msg_a_3"]
    for name in ("b", "c"):
        record(listening, *storm(10, name))
        distributed(listening, mine)
    assert counted(outbox_of(listening, "dst_siem")) == [1, 1, 1, 7, 20]


def test_a_persons_order_is_kept_in_a_storm(listening: Database) -> None:
    """What is told behind a summary is not overtaken by what is folded later."""
    mine = distributor(listening)
    record(listening, *storm(10, "a"))
    distributed(listening, mine)
    record(listening, msgspec.structs.replace(FAILED, event_id="in", kind="login.allowed", facts=None), *storm(10, "b"))
    distributed(listening, mine)
    record(listening, *storm(10, "c"))
    distributed(listening, mine)
    bodies = outbox_of(listening, "dst_siem")
    assert [body["data"]["event_id"] for body in bodies] == ["a_0", "a_1", "a_2", "a_3", "in", "b_0"]
    assert counted(bodies) == [1, 1, 1, 7, 1, 20]


def test_after_a_death_it_is_counted_on(listening: Database) -> None:
    """Whoever starts again has full buckets and remembers no summary; every event is in one message all the same."""
    for name in ("a", "b"):
        record(listening, *storm(50, name))
        distributed(listening, distributor(listening))
    assert counted(outbox_of(listening, "dst_siem")) == [1, 1, 1, 47, 1, 1, 1, 47]
