"""A sender is killed in the middle of its deliveries: what it had committed still arrives, unaltered."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio.to_thread
import pytest

from plumbing.database import Database
from tests.integration.webhooks.conftest import METADATA, TABLE, Stage
from webhooks.outbox import Outbox

pytestmark = pytest.mark.anyio

SENDER = """
import asyncio, os, sys
from sqlalchemy import MetaData
from plumbing.clock import SystemClock
from plumbing.database import Database
from plumbing.randomness import SystemRandomness
from webhooks.delivery import DeliveryWorker, Endpoint, Pace
from webhooks.outbox import Outbox, outbox_table
from webhooks.signing import standard_signer

url, receiver, count, prefix = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
metadata = MetaData()
outbox = Outbox(outbox_table(metadata))

async def main():
    database = Database.open(url, metadata=metadata)
    endpoint = Endpoint(name="siem", url=receiver, signer=standard_signer([bytes(32)]), allow_private=True)
    pace = Pace(deadline=0.5, lease=1.0, poll=0.1)
    worker = DeliveryWorker(database, outbox, [endpoint], SystemClock(), SystemRandomness(), pace=pace)
    task = asyncio.create_task(worker.run())
    for i in range(count):
        name = f"msg_{prefix}{i}"
        about = dict(message_id=name, endpoint="siem", event_type="t", now=SystemClock().now())
        await database.write(lambda tx: outbox.add(tx, body=name.encode() * 50, **about))
        worker.wake()
        os.write(1, (name + "\\n").encode())
    await task

asyncio.run(main())
"""


@pytest.fixture
def stage(database_url: str) -> Iterator[Stage]:
    """An empty outbox in a file, and one on a server."""
    database = Database.open(database_url, metadata=METADATA)
    METADATA.create_all(database.engine)
    yield Stage(database, Outbox(TABLE))
    database.close()


def started(root: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SENDER, *arguments], cwd=root, stdout=subprocess.PIPE)


def killed_after(process: subprocess.Popen[bytes], lines: int) -> list[str]:
    """The messages that the process had committed when it was killed."""
    assert process.stdout is not None
    with process, process.stdout as said:
        committed = [said.readline() for _ in range(lines)]
        os.kill(process.pid, signal.SIGKILL)
        committed += [line for line in said.read().splitlines(keepends=True) if line.endswith(b"\n")]
    return [line.decode().strip() for line in committed]


async def test_what_was_committed_arrives_after_a_kill(stage: Stage, database_url: str, root: Path) -> None:
    """Killed three times, at different moments; each message arrives, and each time with the same bytes."""
    committed: list[str] = []
    async with stage.receiving(stage.answering(200)) as receiver:
        for round_number, lines in enumerate((1, 40, 150)):
            process = started(root, database_url, receiver.url, "100000", f"{round_number}-")
            committed += await anyio.to_thread.run_sync(killed_after, process, lines)
        assert len(committed) >= 191
        last = started(root, database_url, receiver.url, "0", "none")
        try:
            await stage.until(lambda: stage.depth() == 0, seconds=20.0)
        finally:
            last.kill()
            last.communicate()
    assert set(committed) <= set(receiver.ids)
    assert all(heard.body == heard.headers["webhook-id"].encode() * 50 for heard in receiver.heard)
