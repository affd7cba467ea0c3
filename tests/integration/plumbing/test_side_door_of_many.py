"""The second address of several workers: they share it with each other, and with nobody else."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from plumbing.listening import Address
from plumbing.side_door import CannotListen, SideDoor
from plumbing.workers import run_workers


@pytest.fixture
def taken() -> Iterator[Address]:
    """Where another service's workers tell their metrics."""
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as listener:
        yield Address("127.0.0.1", listener.getsockname()[1])


def test_workers_do_not_start_at_an_address_that_others_share(taken: Address) -> None:
    """Else half of the questions to one service would be answered by the other."""

    def answer(*_: object) -> int:
        raise AssertionError("a worker was started")

    with socket.socket() as listener, pytest.raises(CannotListen, match=f"port {taken.port}"):
        run_workers(
            answer, count=2, listener=listener, drain_seconds=0, counts=None, door=taken, tell_ready=lambda: None
        )


def test_each_worker_of_a_service_listens_there(taken: Address) -> None:
    """A worker itself joins the others."""
    with closing(SideDoor(taken, is_one_of_many=True)) as door:
        assert door.port == taken.port


@pytest.mark.long
@pytest.mark.parametrize(("service", "prefix"), [("auth_gateway", "AUTH_GATEWAY"), ("risk_scorer", "RISK_SCORER")])
def test_a_service_says_which_address_is_taken(taken: Address, tmp_path: Path, service: str, prefix: str) -> None:
    """One line, status 2, and its database is not looked at."""
    settings = {
        f"{prefix}_DATABASE": "postgresql://nobody@127.0.0.1:1/none",
        f"{prefix}_STATE": str(tmp_path / "state"),
        f"{prefix}_METRICS_LISTEN": f"127.0.0.1:{taken.port}",
    }
    with socket.create_server(("127.0.0.1", 0)) as spare:
        port = spare.getsockname()[1]
    command = [sys.executable, "-c", f"from {service}.cli import main; main()"]
    ended = subprocess.run(
        [*command, "serve", "--port", str(port), "--workers", "2"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    lines = [line for line in ended.stderr.splitlines() if "cannot listen" in line]
    assert len(lines) == 1
    assert str(taken.port) in lines[0]
