"""A storm of failed logins from one network, told to a slow receiver: little is sent, and nothing is missing."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.destinations import StoredDestinations
from auth_gateway.adapters.storage.event_log import StoredEventLog
from auth_gateway.adapters.storage.tables import outbox as table
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.destination import Destination, Folding
from auth_gateway.flows.distribution import Distributor, Teller
from plumbing.clock import SystemClock
from plumbing.database import Database
from plumbing.randomness import SeededRandomness
from webhooks.delivery import DeliveryWorker, Endpoint
from webhooks.outbox import HOLD_SECONDS, Outbox
from webhooks.signing import standard_signer

pytestmark = pytest.mark.anyio

LONGEST_DELAY_SECONDS = 2.0
AT_ONCE = 20
"""Lines of one transaction of the gateway's writer."""
USUAL = Folding()


@pytest.fixture
def anyio_backend() -> str:
    """The event loop under a test marked `anyio`."""
    return "asyncio"


@dataclass
class Slow:
    """A receiver that takes its time, and knows when it heard what."""

    seconds: float
    heard: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
                self.heard.append((SystemClock().now(), json.loads(await reader.readexactly(length))["data"]))
                self.news.set()
                await asyncio.sleep(self.seconds)
                writer.write(b"HTTP/1.1 204 Taken\r\n\r\n")
        writer.close()

    @property
    def told(self) -> int:
        """How many events it was told of."""
        return sum(count_of(data) for _, data in self.heard)


def count_of(data: dict[str, Any]) -> int:
    return int(data["folded"]["count"]) if "folded" in data else 1


@asynccontextmanager
async def running(database: Database, receiver: Slow) -> AsyncIterator[Distributor]:
    """A gateway's distributor and its worker, with that receiver as its one destination."""
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    siem = Destination(destination_id="dst_siem", name="siem", kind="webhook", url=url)
    assert database.write_sync(lambda tx: StoredDestinations().add(tx, siem, b"sealed"))
    endpoint = Endpoint(name="dst_siem", url=url, signer=standard_signer([bytes(32)]), allow_private=True)
    worker = DeliveryWorker(database, Outbox(table), [endpoint], SystemClock(), SeededRandomness(1))
    distributor = Distributor(
        database=database,
        event_log=StoredEventLog(),
        destinations=StoredDestinations(),
        outbox=Outbox(table),
        teller=Teller(tenant="acme", threshold=80.0, key_of=lambda name: name.encode()),
        now=SystemClock().now,
        told=worker.wake,
    )
    tasks = [asyncio.create_task(each.run()) for each in (worker, distributor)]
    try:
        yield distributor
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.close()


def failed(number: int) -> AuditEvent:
    """Every other one under a name that nobody has, the others under many people's; from all over one network."""
    return AuditEvent(
        event_id=f"evt_{number}",
        ts=SystemClock().now(),
        kind="login.failed",
        rule="bad_credentials",
        user_id=f"u{number % 40}" if number % 2 else None,
        ip=f"198.51.100.{number % 250}",
    )


async def record(database: Database, distributor: Distributor, lines: Sequence[AuditEvent]) -> None:
    await database.write(lambda tx: [StoredAuditTrail().record(tx, line) for line in lines])
    distributor.wake()


async def until_told(receiver: Slow, count: int) -> None:
    async with asyncio.timeout(60.0):
        while receiver.told < count:
            await receiver.news.wait()
            receiver.news.clear()


async def test_a_storm_from_one_network(database: Database, is_long: bool) -> None:
    """The receiver gets no more messages than the terms say, whose counts add up to what happened; little waits at any
    time; and others' refusals in the midst of it, from the same network even, are there within two seconds."""
    count, lasts, slowness = (5_000, 60.0, 0.25) if is_long else (400, 2.0, 0.05)
    receiver, most_waiting, sent = Slow(slowness), 0, dict[str, float]()
    async with running(database, receiver) as distributor:
        began = SystemClock().now()
        for first in range(0, count, AT_ONCE):
            await record(database, distributor, [failed(number) for number in range(first, first + AT_ONCE)])
            if first % (count // 5) == 0:
                bob = msgspec.structs.replace(failed(first), event_id=f"bob_{first}", kind="login.denied")
                bob = msgspec.structs.replace(bob, user_id=bob.event_id, decision="deny", rule="high", score=50.0)
                sent[bob.event_id] = SystemClock().now()
                await record(database, distributor, [bob])
            most_waiting = max(most_waiting, await database.read_in_thread(Outbox(table).depth))
            await asyncio.sleep(max(0.0, began + lasts * first / count - SystemClock().now()))
        await until_told(receiver, count + len(sent))
        await asyncio.sleep(HOLD_SECONDS)
    span = SystemClock().now() - began
    alone, folded = ([data for _, data in receiver.heard if ("folded" in data) is is_so] for is_so in (False, True))
    assert receiver.told == count + len(sent)
    assert len({data["event_id"] for _, data in receiver.heard}) == len(receiver.heard)
    most_alone, most_folded = USUAL.burst + span * USUAL.per_minute / 60.0, span / HOLD_SECONDS + 1
    assert len(alone) - len(sent) <= most_alone
    assert 0 < len(folded) <= most_folded
    assert most_waiting <= most_alone + most_folded + len(sent)
    assert max(len(json.dumps(data)) for data in folded) < 2_000
    assert all("user_id" not in data and data["ip_prefix"] == "198.51.100.0/24" for data in folded)
    delays = {data["event_id"]: at - sent[data["event_id"]] for at, data in receiver.heard if data["event_id"] in sent}
    assert set(delays) == set(sent)
    assert max(delays.values()) <= LONGEST_DELAY_SECONDS, delays


class Deaf:
    """A database whose next write is done, and whose answer gets lost."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.is_deaf = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def write(self, job: Any) -> Any:
        done = await self._database.write(job)
        if self.is_deaf:
            self.is_deaf = False
            raise ConnectionResetError
        return done


async def test_what_was_folded_by_a_write_that_was_never_heard_of_stays_counted(database: Database) -> None:
    """What waits is not overwritten with what is remembered of it, and the log of deliveries counts like the bodies."""
    terms = Folding(burst=1, per_minute=0.001)
    siem = Destination(
        destination_id="dst_siem", name="siem", kind="webhook", url="https://siem.example/", folding=terms
    )
    assert database.write_sync(lambda tx: StoredDestinations().add(tx, siem, b"sealed"))
    deaf: Any = Deaf(database)
    distributor = Distributor(
        database=deaf,
        event_log=StoredEventLog(),
        destinations=StoredDestinations(),
        outbox=Outbox(table),
        teller=Teller(tenant="acme", threshold=80.0, key_of=lambda name: name.encode()),
        now=lambda: 1_000.0,
        told=lambda: None,
    )
    for first, is_deaf in ((0, False), (6, False), (12, True), (18, False), (24, False)):
        await record(database, distributor, [failed(2 * number) for number in range(first, first + 6)])
        deaf.is_deaf = is_deaf
        await distributor.turn()
    rows = select(table.c.body, table.c.folded)
    with database.engine.connect() as connection:
        told = [(count_of(json.loads(body)["data"]), folded + 1) for body, folded in connection.execute(rows)]
    assert sum(count for count, _ in told) == 30
    assert all(count == kept for count, kept in told)
    assert len(told) == 3
