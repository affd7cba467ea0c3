"""The scorer's database is locked, full or restarted under load: scores go on, or are a 503 with a time to come back,
and what was answered as learned stays learned, once.
"""

import asyncio
import resource
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx2
import psycopg
import pytest

from plumbing import connections
from tests.integration.risk_scorer.service import EVENT, Running, running
from tests.postgresql import Server, lock

pytestmark = pytest.mark.anyio
PAUSE_SECONDS = 0.1
RECOVERY_SECONDS = 10.0


class Callers:
    """They ask for scores and tell outcomes until all is well again; `learned` are the outcomes that were answered."""

    def __init__(self, service: Running) -> None:
        self._client = service.client
        self.answers: Counter[tuple[str, int]] = Counter()
        self.learned: list[str] = []
        self.is_well = False

    async def live_through(self, while_broken: Callable[[], object]) -> None:
        breaking = asyncio.create_task(asyncio.to_thread(while_broken))
        over_at = None
        for number in range(10_000):
            if breaking.done():
                over_at = over_at or time.monotonic()
                self.is_well = await self._asked(number)
                if self.is_well or time.monotonic() - over_at > RECOVERY_SECONDS:
                    break
            else:
                await self._asked(number)
            await asyncio.sleep(PAUSE_SECONDS)
        await breaking

    async def _asked(self, number: int) -> bool:
        name = f"evt-{number}"
        scored = await self._client.post("/score", json={**EVENT, "event_id": name})
        told = await self._client.post("/outcomes", json=outcome(name))
        if told.status_code == 200:
            self.learned.append(name)
        for path, answer in (("/score", scored), ("/outcomes", told)):
            self.answers[path, answer.status_code] += 1
            assert answer.status_code == 200 or "retry-after" in answer.headers, answer.text
        return scored.status_code == told.status_code == 200

    async def assert_all_is_well(self) -> None:
        """200 or 503 to everybody; back in time; and all that was answered as learned is known."""
        assert {status for _, status in self.answers} <= {200, 503}, self.answers
        assert self.is_well, self.answers
        again: httpx2.Response = await self._client.post("/outcomes", json=[outcome(name) for name in self.learned])
        assert again.json() == {"learned": 0, "known_before": len(self.learned)}


def outcome(name: str) -> dict[str, object]:
    event = {**EVENT, "event_id": name}
    return {"event_id": name, "event": event, "outcome": "success", "ts": 1754740800.0}


async def test_a_locked_or_full_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_long: bool) -> None:
    """First another process holds it, then it cannot grow; scores go on all the time."""
    if not is_long:
        monkeypatch.setattr(connections, "BUSY_TIMEOUT_MS", 300)
    seconds = 15.0 if is_long else 1.5
    file = tmp_path / "scorer" / "scorer.db"

    def hold(_callers: Callers) -> None:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            time.sleep(seconds)
            holder.execute("ROLLBACK")

    def fill(callers: Callers) -> None:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        room = max(each.stat().st_size for each in file.parent.glob("scorer.db*"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
        deadline = time.monotonic() + RECOVERY_SECONDS
        while not callers.answers["/outcomes", 503] and time.monotonic() < deadline:
            time.sleep(PAUSE_SECONDS)  # there may be room in it that was used before
        time.sleep(seconds)
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    async with running(tmp_path) as service:
        for broken in (hold, fill):
            callers = Callers(service)
            await callers.live_through(partial(broken, callers))
            await callers.assert_all_is_well()
            assert callers.answers["/outcomes", 503] > 0
            assert callers.answers["/score", 503] == 0


async def test_locked_tables_and_a_server_that_restarts(
    tmp_path: Path, postgresql_url: str, postgresql_server: Server, is_long: bool
) -> None:
    """Each answer is a score or a 503; no restart of ours is needed."""

    def hold() -> None:
        with psycopg.connect(postgresql_url) as holder:
            tables = holder.execute("SELECT string_agg(tablename, ', ') FROM pg_tables WHERE schemaname = 'public'")
            (names,) = tables.fetchone() or ("",)
            lock(holder, names)
            time.sleep(15.0 if is_long else 3.0)

    def restart() -> None:
        for _ in range(10 if is_long else 2):
            postgresql_server.stop()
            time.sleep(0.3)
            postgresql_server.start()
            time.sleep(0.7)

    refused = 0
    async with running(tmp_path, risk_scorer_database=postgresql_url) as service:
        for broken in (hold, restart):
            callers = Callers(service)
            await callers.live_through(broken)
            await callers.assert_all_is_well()
            refused += callers.answers["/outcomes", 503] + callers.answers["/score", 503]
    assert refused > 0
