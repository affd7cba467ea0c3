"""Streams and what waits for those that are polled, on each database: two polls at once never get the same."""

import asyncio
from collections.abc import Iterator

import msgspec
import pytest

from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.clients import StoredClients
from auth_gateway.adapters.storage.mailbox import OutboxMailbox
from auth_gateway.adapters.storage.streams import StoredStreams
from auth_gateway.adapters.storage.tables import outbox
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.ssf.stream import POLL, PUSH, UNCOLLECTED_SECONDS, Stream
from plumbing.database import Database
from plumbing.statements import Transaction
from webhooks.outbox import Outbox

NOW = 1_800_000_000.0
STREAM = Stream(
    stream_id="ssf_one",
    client_id="shop",
    method=POLL,
    events_requested=("https://schemas.openid.net/secevent/caep/event-type/session-revoked",),
    description="ü",
    created_at=NOW,
)
streams, mailbox, rows = StoredStreams(), OutboxMailbox(), Outbox(outbox)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """One receiver with one stream that is polled."""
    opened = open_storage(database_url)
    shop = RegisteredClient(client_id="shop", id_token_signed_response_alg="RS256")
    assert opened.write_sync(lambda tx: StoredClients().add(tx, shop, b"", NOW))
    opened.write_sync(lambda tx: streams.add(tx, STREAM, None))
    yield opened
    opened.close()


def put(database: Database, *names: str, now: float = NOW) -> None:
    """Messages in that order; the letter in front is whom one is about."""

    def job(tx: Transaction) -> None:
        for place, name in enumerate(names):
            rows.add(
                tx,
                message_id=name,
                endpoint="ssf_one",
                event_type="session.revoked",
                body=name.encode(),
                now=now + place * 1e-6,
                order_key=name[0],
            )

    database.write_sync(job)


def collected(database: Database, limit: int = 10, *, now: float = NOW + 1, lease: float = 15.0) -> tuple[str, bool]:
    def job(tx: Transaction) -> tuple[str, bool]:
        assert streams.hold(tx, "ssf_one") is not None
        found = mailbox.collect(tx, "ssf_one", now=now, until=now + lease, limit=limit)
        assert [name.encode() for name, _ in found.messages] == [body for _, body in found.messages]
        return " ".join(name for name, _ in found.messages), found.has_more

    return database.write_sync(job)


def test_a_stream_is_kept_as_it_is(database: Database) -> None:
    """With the algorithm of its receiver's ID tokens; changes and status too."""
    assert database.read(lambda tx: streams.find(tx, "ssf_one")) == STREAM
    (listening,) = database.read(streams.listening)
    assert (listening.stream, listening.algorithm) == (STREAM, "RS256")
    changed = msgspec.structs.replace(STREAM, method=PUSH, endpoint_url="https://a.example/", events_requested=())
    database.write_sync(lambda tx: streams.change(tx, changed, b"sealed"))
    stopped = msgspec.structs.replace(changed, status="disabled", reason="no")
    database.write_sync(lambda tx: streams.set_status(tx, stopped))
    assert database.read(streams.list) == database.read(lambda tx: streams.of_client(tx, "shop")) == [stopped]
    assert database.read(lambda tx: streams.authorization(tx, "ssf_one")) == b"sealed"
    assert database.read(streams.listening) == []
    assert database.write_sync(lambda tx: streams.remove(tx, "ssf_one"))
    assert database.read(lambda tx: streams.find(tx, "ssf_one")) is None


def test_a_stream_without_its_receiver_is_none(database: Database) -> None:
    """And goes with it, subjects and all."""
    assert database.write_sync(lambda tx: streams.name_subject(tx, "ssf_one", "x", most=1))
    assert database.write_sync(lambda tx: StoredClients().remove(tx, "shop", now=NOW))
    assert database.read(streams.listening) == []
    assert database.read(lambda tx: streams.names_subject(tx, "ssf_one", ["x"])) is False
    assert database.write_sync(lambda tx: streams.hold(tx, "ssf_one")) is None


def test_only_so_many_subjects_are_named(database: Database) -> None:
    """Once is enough for each, and one that is forgotten makes room."""

    def name(who: str) -> bool:
        return database.write_sync(lambda tx: streams.name_subject(tx, "ssf_one", who, most=2))

    assert [name("a"), name("b"), name("c"), name("a")] == [True, True, False, True]
    database.write_sync(lambda tx: streams.forget_subject(tx, "ssf_one", "a"))
    assert name("c")
    assert database.read(lambda tx: streams.names_subject(tx, "ssf_one", ["a", "c"]))
    assert not database.read(lambda tx: streams.names_subject(tx, "ssf_one", ["a"]))


def test_a_verification_is_not_asked_for_twice_in_a_moment(database: Database) -> None:
    """Both sides of the interval."""

    def ask(now: float) -> bool:
        return database.write_sync(lambda tx: streams.set_verified(tx, "ssf_one", now=now, not_since=now - 5))

    assert [ask(NOW), ask(NOW + 4.9), ask(NOW + 5)] == [True, False, True]


def test_a_poll_gets_the_oldest_and_the_next_one_the_rest(database: Database) -> None:
    """What is out is not handed out, and neither is what follows it of the same person."""
    put(database, "a1", "b1", "a2", "b2", "c1")
    assert collected(database, 2) == ("a1 b1", True)
    assert collected(database) == ("c1", False)
    assert collected(database, now=NOW + 16.1) == ("a1 b1 a2 b2 c1", False)


@pytest.mark.parametrize("back", [0.0, 0.5, 3_600.0], ids=["the same moment", "another clock", "an hour back"])
def test_what_comes_later_is_handed_out_later_by_any_clock(database: Database, back: float) -> None:
    """A gateway whose clock is behind, or put back, puts nothing in front of what is there about the same person."""
    put(database, "a1", "a2", "a3")
    put(database, "a4", "a5", now=NOW - back)
    assert collected(database, 3) == ("a1 a2 a3", True)
    database.write_sync(lambda tx: mailbox.settle(tx, "ssf_one", ["a1", "a2", "a3"], NOW))
    assert collected(database) == ("a4 a5", False)


def test_what_is_settled_frees_what_follows(database: Database) -> None:
    """Taken or refused; twice is once, and what is another stream's stays."""
    put(database, "a1", "a2", "a3")
    assert collected(database, 1) == ("a1", True)
    settle = ["a1", "a1", "other"]
    assert database.write_sync(lambda tx: mailbox.settle(tx, "ssf_one", settle, NOW)) == 1
    assert collected(database, 1) == ("a2", True)
    refuse = {"error": "set_invalid_key", "now": NOW}
    assert database.write_sync(lambda tx: mailbox.refuse(tx, "ssf_one", "a2", **refuse))
    assert not database.write_sync(lambda tx: mailbox.refuse(tx, "ssf_one", "a2", **refuse))
    assert not database.write_sync(lambda tx: mailbox.refuse(tx, "ssf_two", "a3", **refuse))
    assert collected(database) == ("a3", False)
    assert not database.read(lambda tx: mailbox.has_some(tx, "ssf_one", NOW + 2))


def test_a_stream_that_was_pushed_is_polled_in_order(database: Database) -> None:
    """What was put aside or waited for another attempt comes first again."""
    put(database, "a1", "a2", "b1")
    database.write_sync(lambda tx: rows.claim(tx, endpoint="ssf_one", now=NOW, limit=10, lease_seconds=15))
    database.write_sync(lambda tx: mailbox.hasten(tx, "ssf_one", NOW))
    assert collected(database, now=NOW + 16) == ("a1 a2 b1", False)


def test_what_lies_for_a_week_is_given_up(database: Database) -> None:
    """Where it is polled or paused; what a stream that is pushed waits for has its own end."""
    put(database, "a1")
    put(database, "a2", now=NOW + 10)
    before = NOW + 5
    assert database.write_sync(lambda tx: streams.forget_expired(tx, before)) == 1
    pushed = msgspec.structs.replace(STREAM, method=PUSH, endpoint_url="https://a.example/")
    database.write_sync(lambda tx: streams.change(tx, pushed, None))
    assert database.write_sync(lambda tx: streams.forget_expired(tx, NOW + 20)) == 0
    database.write_sync(lambda tx: streams.set_status(tx, msgspec.structs.replace(pushed, status="paused")))
    assert database.write_sync(lambda tx: streams.forget_expired(tx, NOW + 20)) == 1
    dead = sorted(row.dead_at for row in database.read(lambda tx: rows.recent(tx, 10)) if row.dead_at)
    assert dead == [before + UNCOLLECTED_SECONDS, NOW + 20 + UNCOLLECTED_SECONDS]


def test_polls_of_two_gateways_never_get_the_same(database: Database, database_url: str, rounds: int) -> None:
    """Each message goes to one of them; nobody's later one goes out while an earlier one is with the other."""
    other = open_storage(database_url)
    names = [f"{person}{number:03}" for number in range(rounds) for person in "abc"]
    put(database, *names)
    seen: list[str] = []

    async def poll(at: Database) -> None:
        taken: list[str] = []
        while True:

            def job(tx: Transaction, taken: list[str] = taken) -> list[str]:
                streams.hold(tx, "ssf_one")
                mailbox.settle(tx, "ssf_one", taken, NOW)
                found = mailbox.collect(tx, "ssf_one", now=NOW + 1, until=NOW + 16, limit=2)
                return [name for name, _ in found.messages]

            got = await at.write(job)
            seen.extend(got)
            if not got and not taken:
                return
            taken = got

    async def both() -> None:
        while len(seen) < len(names):
            await asyncio.gather(poll(database), poll(other))

    try:
        asyncio.run(asyncio.wait_for(both(), 60))
    finally:
        other.close()
    assert sorted(seen) == sorted(names)
    for person in "abc":
        assert [name for name in seen if name[0] == person] == [name for name in names if name[0] == person]
