"""A gateway is killed while it distributes: every event that was written down is told, once, as it was."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from auth_gateway.adapters.storage import open_storage
from auth_gateway.adapters.storage.destinations import StoredDestinations
from auth_gateway.adapters.storage.tables import AuditRow, outbox, table_of
from auth_gateway.core.destination import Destination, Folding
from plumbing.database import Database

GATEWAY = """
import asyncio, itertools, os, sys
from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.destinations import StoredDestinations
from auth_gateway.adapters.storage.event_log import StoredEventLog
from auth_gateway.adapters.storage.tables import metadata, outbox
from auth_gateway.core.audit import AuditEvent
from auth_gateway.flows.distribution import Distributor, Teller
from plumbing.clock import SystemClock
from plumbing.database import Database
from webhooks.outbox import Outbox
import auth_gateway.adapters.storage.tables_events

url, prefix, count = sys.argv[1], sys.argv[2], int(sys.argv[3])

async def main():
    database, trail, clock = Database.open(url, metadata=metadata), StoredAuditTrail(), SystemClock()
    distributor = Distributor(
        database=database, event_log=StoredEventLog(), destinations=StoredDestinations(), outbox=Outbox(outbox),
        teller=Teller(tenant="acme", threshold=80.0, key_of=lambda name: name.encode()), now=clock.now,
        told=lambda: None,
    )
    async def distribute():
        while True:
            await distributor.turn()
            await asyncio.sleep(0)
    async def log_in(worker):
        for number in range(count):
            name = f"evt_{prefix}-{worker}-{number}"
            line = AuditEvent(event_id=name, ts=clock.now(), kind="login.denied", user_id=f"u{worker}", score=90.0)
            await database.write(lambda tx: trail.record(tx, line))
            os.write(1, (name + chr(10)).encode())
    await asyncio.gather(distribute(), *(log_in(worker) for worker in range(4)))

asyncio.run(main())
"""
SIEM = Destination(
    destination_id="dst_siem",
    name="siem",
    kind="webhook",
    url="https://siem.example/in",
    folding=Folding(is_on=False),
)
STORMY = Destination(
    destination_id="dst_stormy",
    name="stormy",
    kind="webhook",
    url="https://siem.example/in",
    folding=Folding(burst=3, per_minute=1.0),
)


def killed_after(root: Path, url: str, prefix: str, lines: int) -> set[str]:
    """What a gateway had answered for when it was killed, that many answers after its start."""
    command = [sys.executable, "-c", GATEWAY, url, prefix, "100000"]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process, process.stdout as said:
        committed = [said.readline() for _ in range(lines)]
        os.kill(process.pid, signal.SIGKILL)
        committed += [line for line in said.read().splitlines(keepends=True) if line.endswith(b"\n")]
    return {line.decode().strip() for line in committed}


def drained(database: Database) -> None:
    """The next start distributes what is left."""
    from tests.integration.auth_gateway.storage.test_distribution import distributor

    while asyncio.run(distributor(database).turn()):
        pass


def test_what_was_committed_is_distributed_once_whoever_is_killed(database_url: str, root: Path, is_long: bool) -> None:
    """At many moments of a gateway that logs in and distributes at once: of each line the two events that it is, in
    the outbox once, with what the line says; no line waits and nothing was invented. Who is told of them folded gets
    messages that add up to them."""
    database = open_storage(database_url)
    for each in (SIEM, STORMY):
        assert database.write_sync(lambda tx, each=each: StoredDestinations().add(tx, each, b"sealed"))
    answered: set[str] = set()
    for number in range(60 if is_long else 5):
        answered |= killed_after(root, database_url, str(number), 1 + 37 * (number % 7))
    drained(database)
    audit = table_of(AuditRow)
    with database.engine.connect() as connection:
        lines = {row.event_id: row for row in connection.execute(select(audit))}
        bodies, stormy = (
            [json.loads(bytes(body)) for (body,) in connection.execute(select(outbox.c.body).where(of_each))]
            for of_each in (outbox.c.endpoint == "dst_siem", outbox.c.endpoint == "dst_stormy")
        )
    database.close()
    assert answered <= set(lines)
    assert not any(row.waits for row in lines.values())
    told = [body["data"]["event_id"] for body in bodies]
    assert sorted(told) == sorted([*lines, *(f"{event_id}.high_risk" for event_id in lines)])
    for body in bodies:
        line = lines[body["data"]["event_id"].removesuffix(".high_risk")]
        assert (body["data"]["user_id"], body["data"]["risk_score"]) == (line.user_id, line.score)
    counts = [body["data"].get("folded", {"count": 1})["count"] for body in stormy]
    assert sum(counts) == len(bodies)
    assert max(counts) > 1
