"""Webhook deliveries to one fast receiver, durable and signed, against the same requests without an outbox; and how a
long backlog drains: its rate, and what it costs in memory.
"""

import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import uvloop
from rich.console import Console
from sqlalchemy import MetaData

from benchmarks.report import Figure
from benchmarks.servers import free_port, server
from plumbing.clock import SystemClock
from plumbing.database import Database, Transaction
from plumbing.randomness import SystemRandomness
from webhooks.announcement import announcement
from webhooks.delivery import DeliveryWorker, Endpoint
from webhooks.outbox import Outbox, outbox_table
from webhooks.resolving import system_resolver
from webhooks.signing import standard_signer

SENDER_CORE, RECEIVER_CORE = 0, 1
MESSAGES, BACKLOG, MILLION = 10_000, 50_000, 1_000_000
PEOPLE = 5_000
"""Keys among which the messages are spread, as a service has people: those of one go one after the other."""
FILL_ROWS = 2_000
CONCURRENCY = 8
NAME = "dst_fast"

METADATA = MetaData()
OUTBOX = Outbox(outbox_table(METADATA))
BODY = announcement(
    "login.denied",
    at=1_767_225_600.0,
    data={
        "event_id": "evt_0123456789abcdef0123456789",
        "user_id": "usr_0123456789abcdef",
        "username": "ann",
        "client_id": "web",
        "ip": "198.51.100.0/24",
        "decision": "deny",
        "rule": "high_risk",
        "score": 91.5,
        "level": "high",
        "model_version": "2026-01-01T00:00:00Z-0123456789ab",
        "reasons": ["new_device", "new_country", "impossible_travel", "hosting_network"],
        "technique": ["T1078"],
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    },
)


@contextmanager
def fast_receiver() -> Iterator[str]:
    """The address of a receiver on a core of its own."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.fast_receiver", str(port)]
    with server(command, ready=f"http://127.0.0.1:{port}/", cores={RECEIVER_CORE}):
        yield f"http://127.0.0.1:{port}/hook"


def endpoint(url: str) -> Endpoint:
    signer = standard_signer([bytes(32)])
    return Endpoint(name=NAME, url=url, signer=signer, allow_private=True, concurrency=CONCURRENCY)


@contextmanager
def filled(count: int) -> Iterator[Database]:
    """An outbox on SQLite in which so many messages wait."""
    with tempfile.TemporaryDirectory() as place:
        database = Database.open(f"sqlite:///{place}/outbox.db", metadata=METADATA)
        METADATA.create_all(database.engine)
        try:
            for first in range(0, count, FILL_ROWS):
                database.write_sync(partial(_fill, range(first, min(count, first + FILL_ROWS))))
            yield database
        finally:
            database.close()


def _fill(numbers: range, tx: Transaction) -> None:
    now = SystemClock().now()
    for number in numbers:
        key = f"usr_{number % PEOPLE}"
        name = f"msg_evt_{number:024}"
        OUTBOX.add(tx, message_id=name, endpoint=NAME, event_type="login.denied", body=BODY, now=now, order_key=key)


async def drained(database: Database, url: str, count: int) -> tuple[float, list[int]]:
    """Messages a second until nothing waits, and the kilobytes of memory in use at each tenth of the way."""
    worker = DeliveryWorker(database, OUTBOX, [endpoint(url)], SystemClock(), SystemRandomness())
    memory: list[int] = []
    began = time.perf_counter()
    running = asyncio.create_task(worker.run())
    try:
        while left := await database.read_in_thread(OUTBOX.depth):
            while len(memory) < 10 * (count - left) / count:
                memory.append(resident_kilobytes())
            await asyncio.sleep(max(0.02, count / 50_000))  # counting a million rows takes a while, too
        return count / (time.perf_counter() - began), memory
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def posted(url: str, count: int) -> float:
    """The same signed requests a second, from memory: nothing is stored and nothing is marked."""
    numbers = iter(range(count))
    clock = SystemClock()
    opened = endpoint(url).opened(clock=clock, resolver=system_resolver, deadline_seconds=10.0)
    began = time.perf_counter()

    async with opened as carrier:

        async def sender() -> None:
            for number in numbers:
                attempt = await carrier.carry(f"msg_evt_{number:024}", BODY)
                if not attempt.is_delivered:
                    raise AssertionError(attempt)

        await asyncio.gather(*(sender() for _ in range(CONCURRENCY)))
    return count / (time.perf_counter() - began)


def resident_kilobytes() -> int:
    """What this process has in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1_024


def measure(rounds: int, console: Console, *, is_long: bool) -> Iterator[Figure]:
    """Deliveries and bare requests in turns; then one long backlog, printed."""
    ours, bare = [], []
    os.sched_setaffinity(0, {SENDER_CORE})
    try:
        with fast_receiver() as url:
            for _ in range(rounds):
                with filled(MESSAGES) as database:
                    ours.append(uvloop.run(drained(database, url, MESSAGES))[0])
                bare.append(uvloop.run(posted(url, MESSAGES)))
            _drain_backlog(url, MILLION if is_long else BACKLOG, console)
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    yield Figure(
        "webhook deliveries on SQLite", "a second", "the same requests from memory", ours, bare, "≥ 1,000 a second"
    )


def _drain_backlog(url: str, count: int, console: Console) -> None:
    with filled(count) as database:
        rate, memory = uvloop.run(drained(database, url, count))
    console.print(
        f"a backlog of {count:,}: {rate:,.0f} a second; memory at each tenth, in MB: {_megabytes(memory)};"
        f" from the first to the last {(memory[-1] - memory[0]) / 1_024:+,.1f}"
    )


def _megabytes(memory: Sequence[int]) -> str:
    return " ".join(f"{kilobytes / 1_024:.0f}" for kilobytes in memory)
