"""One healthy receiver among eleven that misbehave, all at once: it hears everything in time, and nobody is harmed."""

import asyncio
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from webhooks.delivery import Pace

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

DELAY_SECONDS = 2.0
MEMORY_KILOBYTES = 200_000
PACE = Pace(first_retry=0.5)
HARMLESS = {"inside", "told"}
REFUSALS = {
    "fails": "status_500",
    "gone": "status_410",
    "limits": "status_429",
    "resets": "connection_closed",
    "redirects to itself": "redirect_refused",
    "redirects inside": "redirect_refused",
}


@pytest.fixture
def ports(root: Path) -> Iterator[dict[str, int]]:
    """The bad receivers, in a process of their own."""
    command = [sys.executable, "-m", "tests.hostile_receivers"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.kill()


def told(ports: dict[str, int]) -> dict[str, int]:
    answer: dict[str, int] = httpx2.get(f"http://127.0.0.1:{ports['told']}/", trust_env=False).json()
    return answer


async def test_a_healthy_receiver_among_eleven_bad_ones_hears_in_time(
    stage: Any, ports: dict[str, int], is_long: bool
) -> None:
    """The 95th of a hundred waits two seconds at most, from the commit to its ear; each message comes once."""
    seconds, waiting = (120, 1_000) if is_long else (5, 60)
    bad = {kind: port for kind, port in ports.items() if kind not in HARMLESS}
    assert len(bad) == 11
    for kind in bad:
        for number in range(waiting):
            await stage.add(f"msg_{number}", kind)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with stage.receiving(stage.answering(200)) as healthy:
        endpoints = [stage.endpoint(kind, f"http://127.0.0.1:{port}/") for kind, port in bad.items()]
        async with stage.delivering(*endpoints, stage.endpoint("healthy", healthy.url), pace=PACE) as worker:
            began = await telling(stage, worker, rounds=seconds * 20)
            await stage.until(lambda: len(healthy.heard) == len(began))
            await stage.until(lambda: waits(stage, "flapping", "huge", "bomb") == 0, seconds=60.0)
            disabled = worker.disabled
    delays = sorted(heard.at - began[heard.headers["webhook-id"]] for heard in healthy.heard)
    assert healthy.ids == list(dict.fromkeys(healthy.ids))
    assert delays[int(len(delays) * 0.95)] <= DELAY_SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_KILOBYTES
    heard = told(ports)
    assert disabled == {"gone"}
    assert heard.get("inside", 0) == 0
    assert heard["gone"] <= 8  # what was under way when the first answer came
    assert heard["limits"] <= 8
    for kind, problem in REFUSALS.items():
        assert problems(stage, kind) == {problem}, kind
    assert problems(stage, "hangs") | problems(stage, "drips") <= {"timeout"}


async def telling(stage: Any, worker: Any, *, rounds: int) -> dict[str, float]:
    """Twenty messages a second to the healthy one: by their names, when each was committed."""
    began: dict[str, float] = {}
    loop = asyncio.get_running_loop()
    for number in range(rounds):
        name = f"msg_g{number}"
        await stage.add(name, "healthy")
        began[name] = loop.time()
        worker.wake()
        await asyncio.sleep(0.05)
    return began


def rows(stage: Any, *kinds: str) -> list[Any]:
    found = stage.database.read(lambda tx: stage.outbox.recent(tx, 1_000_000))
    return [row for row in found if row.endpoint in kinds]


def waits(stage: Any, *kinds: str) -> int:
    return sum(row.delivered_at is None for row in rows(stage, *kinds))


def problems(stage: Any, kind: str) -> set[str]:
    return {row.last_error for row in rows(stage, kind)} - {None}
