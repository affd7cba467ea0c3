"""Wrong passwords at a gateway of several worker processes: with Redis they are counted once, without it each worker
lets its share of the limit through and no more.
"""

import http.client
import json
import math
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest

from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.assembly import assemble
from auth_gateway.core.throttle import FREE_FAILURES
from auth_gateway.settings import Settings
from tests.ports import free_port
from tests.redis_server import Server
from tests.running_provider import COMMAND, PATIENCE_SECONDS
from tests.stories.gateway.story import PASSWORD, StubScorer, running_story

WORKERS = 2
FREE = FREE_FAILURES["account"]
WRONG = {"username": "bob", "password": "wrong-password-1!"}


def test_a_worker_without_redis_lets_its_share_through(tmp_path: Path, postgresql_url: str) -> None:
    """Of five free failures two, so that both together never let more than five through."""
    given = {"auth_gateway_database": postgresql_url, "auth_gateway_workers": WORKERS}
    with running_story(tmp_path / "state", **given) as story:
        answers = [story.login("bob", "wrong-password-1!").status_code for _ in range(2 * FREE)]
        assert answers == [401] * (FREE // WORKERS) + [429] * (2 * FREE - FREE // WORKERS)
        assert story.login("alice", peer="203.0.113.77").json()["allowed"] is True


@contextmanager
def gateway(tmp_path: Path, **chosen: str) -> Iterator[int]:
    """The port of a real one of two workers, where bob's password costs little to check."""
    scorer, port = StubScorer(), free_port()
    chosen |= {
        "AUTH_GATEWAY_STATE": str(tmp_path / "state"),
        "RISK_API_URL": scorer.url,
        "RISK_API_CREDENTIAL": "rgs_t",
    }
    settings = Settings(**{name.lower(): value for name, value in chosen.items()})  # type: ignore[arg-type]
    making = assemble(settings, hasher=PasswordHasher(memory_kib=64, passes=1))
    making.accounts.add("bob", PASSWORD)
    making.close()
    ours = {name.upper() for name in Settings.model_fields} | {"AUTH_GATEWAY_CONFIG"}
    environment = {name: value for name, value in os.environ.items() if name not in ours} | chosen
    command = [*COMMAND, "serve", "--workers", str(WORKERS), "--port", str(port)]
    with (tmp_path / "log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
        assert "ready on" in process.stdout.readline(), (tmp_path / "log").read_text()
        yield port
    finally:
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
        process.stdout.close()
        scorer.close()


def guesses(port: int, times: int) -> tuple[Counter[int], int]:
    """The answers to so many wrong passwords at once, each on a connection of its own; and how many pauses of 1, 2, 4 …
    seconds went by meanwhile, after each of which one more is looked at. Each count lets one more through besides, as a
    little is forgiven between two tries."""

    def guess(_number: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", "/login", json.dumps(WRONG), {"content-type": "application/json"})
        with closing(connection):
            return connection.getresponse().status

    began = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        found = Counter(threads.map(guess, range(times)))
    return found, int(math.log2(time.monotonic() - began + 1))


@pytest.mark.long
def test_real_workers_count_together_through_redis(tmp_path: Path, postgresql_url: str, redis: Server) -> None:
    """A guesser at two workers gets what one process would let through, and none of it twice."""
    with gateway(tmp_path, AUTH_GATEWAY_DATABASE=postgresql_url, REDIS_URL=redis.url) as port:
        wait_until_used(port)
        found, pauses = guesses(port, 4 * FREE)
    assert set(found) == {401, 429}
    assert FREE <= found[401] <= FREE + 1 + pauses


@pytest.mark.long
def test_real_workers_without_redis_let_no_more_through_together(tmp_path: Path, postgresql_url: str) -> None:
    """Each has its share, so that two are stricter than one process and never more open."""
    with gateway(tmp_path, AUTH_GATEWAY_DATABASE=postgresql_url) as port:
        found, pauses = guesses(port, 4 * FREE)
    assert set(found) == {401, 429}
    assert FREE // WORKERS <= found[401] <= WORKERS * (FREE // WORKERS + 1 + pauses)


def wait_until_used(port: int) -> None:
    """Until each of the workers that answer ten looks in a row uses Redis."""
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        in_a_row = 0
        for _ in range(200):
            told = client.get("/ready", headers={"connection": "close"}).json()
            in_a_row = in_a_row + 1 if told["redis"] == "reachable" else 0
            if in_a_row == 10:
                return
    raise AssertionError(told)
