"""A span of the event log told again, on both databases: whole, in order, marked, and once whoever is asked or dies."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from auth_gateway.adapters.storage.event_log import BETWEEN
from auth_gateway.adapters.storage.tables import outbox as table
from auth_gateway.assembly import Gateway, assemble
from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.destination import Destination, Filter
from auth_gateway.flows.replays import LINES_AT_ONCE, MOST_WAITING, AskReplays, Replayer
from auth_gateway.settings import load_settings
from auth_gateway.telling import listeners, replayer, replays
from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from webhooks.outbox import Outbox

NOW = 1_800_000_000.0
SIEM = Destination(destination_id="", name="siem", kind="webhook", url="https://siem.example/in")


@pytest.fixture
def gateway(database_url: str, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway whose clock stands still."""
    given = {"auth_gateway_database": database_url} if database_url.startswith("postgresql") else {}
    opened = assemble(load_settings(auth_gateway_state=tmp_path / "state", **given), clock=FixedClock(NOW))
    yield opened
    opened.close()


@pytest.fixture
def desk(gateway: Gateway) -> AskReplays:
    listeners(gateway).add(SIEM, show=lambda _: None)
    return replays(gateway)


def written(gateway: Gateway, count: int, *, since: float, kind: Kind = "login.denied", prefix: str = "evt") -> None:
    """One line a second."""

    def job(tx: Any) -> None:
        for number in range(count):
            line = AuditEvent(event_id=f"{prefix}_{number:04}", ts=since + number, kind=kind, user_id=f"u{number % 3}")
            gateway.audit.record(tx, line)

    gateway.database.write_sync(job)


def player(gateway: Gateway) -> Replayer:
    return replayer(gateway, told=lambda: None)


def played(gateway: Gateway) -> None:
    one, clock = player(gateway), gateway.clock
    assert isinstance(clock, FixedClock)
    while asyncio.run(one.turn()):
        clock.advance(1)


def outbox_of(gateway: Gateway) -> list[tuple[str, dict[str, Any]]]:
    """Ids and bodies, in their order."""
    rows = select(table.c.message_id, table.c.body).where(table.c.event_type != "webhook.added")
    with gateway.database.engine.connect() as connection:
        found = connection.execute(rows.order_by(table.c.created_at, table.c.message_id))
        return [(name, json.loads(bytes(body))["data"]) for name, body in found]


def emptied(gateway: Gateway) -> None:
    with gateway.database.engine.begin() as connection:
        connection.execute(table.delete())


def test_a_span_is_told_again_whole_in_order_and_marked(gateway: Gateway, desk: AskReplays) -> None:
    """Under the same event ids and new message ids; both sides of the span's edges, and across pieces."""
    count = LINES_AT_ONCE + 30
    written(gateway, count + 2, since=NOW - 1_000)
    written(gateway, 20, since=NOW - 900, kind="token.refreshed", prefix="refresh")
    replay = desk.begin("siem", since=NOW - 999, until=NOW - 999 + count)
    played(gateway)
    found = outbox_of(gateway)
    assert [data["event_id"] for _, data in found] == [f"evt_{number:04}" for number in range(1, count + 1)]
    assert [name for name, _ in found] == [f"msg_{data['event_id']}.{replay.replay_id}" for _, data in found]
    assert {data["replay_id"] for _, data in found} == {replay.replay_id}
    (over,) = desk.list("siem")
    assert (over.state, over.messages, over.ended_at) == ("done", count, NOW + 1)


def test_it_is_told_by_time_and_many_at_one_moment_are_told_once(gateway: Gateway, desk: AskReplays) -> None:
    """Though lines were written in another order, and a piece ends in the midst of a moment."""

    def job(tx: Any) -> None:
        for number in range(LINES_AT_ONCE + 50):
            gateway.audit.record(tx, AuditEvent(event_id=f"b{number}", ts=NOW - 10, kind="login.denied"))
        gateway.audit.record(tx, AuditEvent(event_id="a", ts=NOW - 20, kind="login.denied"))

    gateway.database.write_sync(job)
    desk.begin("siem", since=NOW - 20, until=NOW)
    played(gateway)
    assert [data["event_id"] for _, data in outbox_of(gateway)] == ["a", *(f"b{n}" for n in range(LINES_AT_ONCE + 50))]


def test_only_what_was_asked_for_and_what_the_destination_takes(gateway: Gateway, desk: AskReplays) -> None:
    """Types narrow the destination's own filter."""
    narrow = msgspec.structs.replace(SIEM, name="narrow", filter=Filter(types=("login.*", "mfa.*")))
    listeners(gateway).add(narrow, show=lambda _: None)
    for prefix, kind in (("denied", "login.denied"), ("passed", "challenge.passed"), ("frozen", "user.frozen")):
        written(gateway, 1, since=NOW - 10, kind=kind, prefix=prefix)  # type: ignore[arg-type]
    desk.begin("narrow", since=0, until=NOW, types=("login.*", "account.*"))
    played(gateway)
    assert [data["event_id"] for _, data in outbox_of(gateway)] == ["denied_0000"]


def test_of_a_destination_one_replay_runs_at_a_time(gateway: Gateway, desk: AskReplays) -> None:
    """A second one is refused until the first is over; then the span may be told once more, under ids of its own."""
    written(gateway, 3, since=NOW - 10)
    desk.begin("siem", since=0, until=NOW)
    with pytest.raises(Refused, match="replay_running"):
        desk.begin("siem", since=5, until=NOW)
    played(gateway)
    desk.begin("siem", since=0, until=NOW)
    played(gateway)
    found = outbox_of(gateway)
    ids = [name for name, _ in found]
    assert (len(ids), len(set(ids))) == (6, 6)
    assert len({data["event_id"] for _, data in found}) == 3


def test_two_gateways_at_once_tell_it_once(gateway: Gateway, desk: AskReplays) -> None:
    """Each piece is moved on from its place by one of them."""
    written(gateway, 3 * LINES_AT_ONCE, since=NOW - 1_000)
    desk.begin("siem", since=NOW - 1_000, until=NOW)

    async def both() -> None:
        ones = [player(gateway) for _ in range(3)]
        while any(await asyncio.gather(*(one.turn() for one in ones))):
            pass

    asyncio.run(both())
    ids = [data["event_id"] for _, data in outbox_of(gateway)]
    assert sorted(ids) == sorted(set(ids))
    assert len(ids) == 3 * LINES_AT_ONCE
    assert desk.list("siem")[0].messages == 3 * LINES_AT_ONCE


def test_a_gateway_that_dies_between_two_pieces_is_taken_over_from(gateway: Gateway, desk: AskReplays) -> None:
    """The next start goes on where it was."""
    written(gateway, 2 * LINES_AT_ONCE, since=NOW - 1_000)
    desk.begin("siem", since=NOW - 1_000, until=NOW)
    assert asyncio.run(player(gateway).turn())
    gateway.clock.advance(1)  # type: ignore[attr-defined]
    assert (desk.list("siem")[0].state, desk.list("siem")[0].messages) == ("running", LINES_AT_ONCE)
    played(gateway)
    ids = [data["event_id"] for _, data in outbox_of(gateway)]
    assert ids == [f"evt_{number:04}" for number in range(2 * LINES_AT_ONCE)]


def test_a_replay_waits_while_too_much_waits(gateway: Gateway, desk: AskReplays) -> None:
    """What happens now must not stand behind all that ever happened."""
    written(gateway, MOST_WAITING + 2 * LINES_AT_ONCE, since=NOW - 5_000)
    desk.begin("siem", since=NOW - 5_000, until=NOW)
    played(gateway)
    assert MOST_WAITING <= len(outbox_of(gateway)) < MOST_WAITING + LINES_AT_ONCE
    emptied(gateway)
    played(gateway)
    assert desk.list("siem")[0].state == "done"


def test_a_replay_rests_while_its_destination_is_disabled_and_ends_with_it(gateway: Gateway, desk: AskReplays) -> None:
    """Enabled again it goes on; removed, there is nobody to tell."""
    book = listeners(gateway)
    written(gateway, 3, since=NOW - 10)
    desk.begin("siem", since=NOW - 10, until=NOW)
    book.disable("siem", reason="by hand")
    played(gateway)
    assert outbox_of(gateway) == []
    with pytest.raises(Refused, match="destination_disabled"):
        desk.begin("siem", since=0, until=NOW)
    book.enable("siem")
    book.remove("siem")
    played(gateway)
    with gateway.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT ended_at FROM replays").fetchall() == [(NOW,)]
    assert outbox_of(gateway) == []


def test_a_replay_can_be_stopped(gateway: Gateway, desk: AskReplays) -> None:
    """What it has put into the outbox is sent, nothing more."""
    written(gateway, 2 * LINES_AT_ONCE, since=NOW - 1_000)
    desk.begin("siem", since=NOW - 1_000, until=NOW)
    asyncio.run(player(gateway).turn())
    desk.stop("siem")
    played(gateway)
    assert len(outbox_of(gateway)) == LINES_AT_ONCE
    assert desk.list("siem")[0].state == "stopped"
    with pytest.raises(Refused, match="no_replay"):
        desk.stop("siem")


def test_a_span_begins_before_it_ends_and_before_now(desk: AskReplays) -> None:
    """What is still to come is told as it happens; of types that there are not nothing would ever be told."""
    for since, until in ((5.0, 5.0), (6.0, 5.0), (NOW, NOW + 10), (-1.0, 5.0), (float("nan"), 5.0)):
        with pytest.raises(Refused, match="invalid_span"):
            desk.begin("siem", since=since, until=until)
    with pytest.raises(Refused, match="invalid_destination"):
        desk.begin("siem", since=0, until=NOW, types=("login.maybe",))


def test_a_piece_is_found_on_the_index_of_times(gateway: Gateway, desk: AskReplays) -> None:
    """Without a look at the rest of the trail, and without sorting the span for each piece."""
    if gateway.database.engine.dialect.name != "sqlite":
        return
    compiled = BETWEEN.compiled()
    values = {"since": 1.0, "after": 0, "until": 2.0, "most": 5}
    given = tuple(compiled.fixed.get(name, values.get(name)) for name in compiled.names)
    with gateway.database.engine.connect() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled.sql}", given).fetchall())
    assert "ix_audit_ts" in plan
    assert "TEMP B-TREE" not in plan


def test_the_outbox_knows_the_replay_by_its_order_key(gateway: Gateway, desk: AskReplays) -> None:
    """One person's events go one after the other, told again or not."""
    written(gateway, 2, since=NOW - 10)
    desk.begin("siem", since=NOW - 10, until=NOW - 5)
    played(gateway)
    found = listeners(gateway).find("siem")
    claimed = gateway.database.write_sync(
        lambda tx: Outbox(table).claim(tx, endpoint=found.destination_id, now=NOW + 1, limit=9, lease_seconds=15)
    )
    assert [message.order_key for message in claimed] == ["u0", "u1"]
