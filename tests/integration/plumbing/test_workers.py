"""Processes behind one listener: how they are kept, how they stop, and that nobody who asks is let down meanwhile."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port

SERVICE = """
import asyncio, os, sys
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from plumbing.metrics import Meters
from plumbing.serve import configured, listening, serve_on
from plumbing.workers import run_workers

port, count, drain_seconds, meant = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
listener = listening("127.0.0.1", port)

def answer(place, ready):
    if meant == "broken":
        print("cannot start", file=sys.stderr)
        return 2
    meters = Meters(is_one_of_many=place is not None)
    asked, jobs = meters.counter("asked_total", "Asked.", []), []
    meters.look("jobs", "Jobs.", [], lambda: [((), 2.0)], of="process")
    meters.look("seen_total", "Seen.", [], lambda: [((), float(len(jobs)))], of="process")
    meters.look("rows", "Rows.", [], lambda: [((), 7.0)])
    meters.look("ok", "Ok.", [], lambda: [((), float(not jobs))], of="worst")

    async def pid(_request):
        jobs.append(1)
        asked().inc()
        meters.share()
        return PlainTextResponse(str(os.getpid()))

    async def slow(_request):
        print("began", flush=True)
        await asyncio.sleep(0.5)
        return PlainTextResponse("done")

    async def metrics(_request):
        return PlainTextResponse(meters.exposition())

    @asynccontextmanager
    async def life(_app):
        asyncio.get_running_loop().call_later(0.02, ready)
        yield

    routes = [Route("/pid", pid), Route("/slow", slow), Route("/metrics", metrics)]
    config = configured(Starlette(routes=routes, lifespan=life))
    return serve_on(listener, config, drain_seconds=drain_seconds, is_worker=count > 1)

def told():
    print("ready", flush=True)

if count == 1:
    sys.exit(answer(None, told))
bounds = {"count": count, "drain_seconds": drain_seconds}
sys.exit(run_workers(answer, **bounds, listener=listener, counts=None, door=None, tell_ready=told))
"""


class Service:
    """The parent process and its port."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def begin(self, path: str) -> socket.socket:
        connection = self.connect()
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        return connection

    def ask(self, path: str) -> str:
        """The body of an answer, on a connection that is the client's to close."""
        connection = self.connect()
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        return rest_of(connection).partition("\r\n\r\n")[2]

    def pids(self, count: int) -> set[int]:
        """So many of those that answer."""
        found: set[int] = set()
        deadline = time.monotonic() + 10
        while len(found) < count:
            assert time.monotonic() < deadline, f"only {found} answer"
            found.add(int(self.ask("/pid")))
        return found

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


def rest_of(connection: socket.socket) -> str:
    heard = b""
    with connection:
        while chunk := connection.recv(65_536):
            heard += chunk
    return heard.decode()


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pids: set[int]) -> None:
    deadline = time.monotonic() + 10
    while any(is_there(pid) for pid in pids):
        assert time.monotonic() < deadline, pids
        time.sleep(0.02)


@contextmanager
def running(root: Path, *, count: int, drain_seconds: float = 0.0, meant: str = "well") -> Iterator[Service]:
    port = free_port()
    command = [sys.executable, "-c", SERVICE, str(port), str(count), str(drain_seconds), meant]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Service(process, port)
        finally:
            process.kill()


def test_one_that_dies_is_replaced_and_totals_never_fall(root: Path) -> None:
    """Its place is taken; what it counted stays, what it had at hand does not, and each answers for all."""
    with running(root, count=2) as service:
        assert service.line() == "ready\n"
        before = service.pids(2)
        asked = samples(service)["asked_total"]
        victim = before.pop()
        os.kill(victim, signal.SIGKILL)
        wait_until_gone({victim})
        after = service.pids(2)
        assert victim not in after
        told = samples(service)
        assert told["asked_total"] == told["seen_total"] > asked
        assert told == {**told, "jobs": 4.0, "rows": 7.0, "ok": 0.0}
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(20) == 0
        wait_until_gone(after)


def samples(service: Service) -> dict[str, float]:
    lines = service.ask("/metrics").splitlines()
    return {name: float(value) for name, _, value in (line.partition(" ") for line in lines if line[0] != "#")}


@pytest.mark.parametrize("count", [1, 2])
def test_it_goes_on_answering_before_it_stops(root: Path, count: int) -> None:
    """For the drain time newcomers are answered and told to go elsewhere; what is asked by then is answered."""
    with running(root, count=count, drain_seconds=0.4) as service:
        assert service.line() == "ready\n"
        began = service.begin("/slow")
        assert service.line() == "began\n"
        kept = service.connect()
        os.kill(service.process.pid, signal.SIGTERM)
        time.sleep(0.1)
        newcomer = rest_of(service.begin("/pid"))
        assert "connection: close" in newcomer
        assert rest_of(began).endswith("done")
        time.sleep(0.2)
        kept.sendall(b"GET /pid HTTP/1.1\r\nhost: x\r\n\r\n")
        assert rest_of(kept).startswith("HTTP/1.1 200")
        assert service.process.wait(20) == 0
        with pytest.raises(ConnectionRefusedError):
            service.connect()


@pytest.mark.parametrize("count", [1, 2])
def test_a_second_signal_ends_it_hard(root: Path, count: int) -> None:
    """The exit status says that something was cut short, and nobody is left behind."""
    with running(root, count=count, drain_seconds=30.0) as service:
        assert service.line() == "ready\n"
        workers = service.pids(count)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(10) == 4
        wait_until_gone(workers)


def test_workers_do_not_outlive_their_parent(root: Path) -> None:
    """One that was killed can tell nobody; the workers finish what they are at and go."""
    with running(root, count=2) as service:
        assert service.line() == "ready\n"
        workers = service.pids(2)
        began = service.begin("/slow")
        assert service.line() == "began\n"
        service.process.kill()
        assert rest_of(began).endswith("done")
        wait_until_gone(workers)


def test_what_cannot_start_is_said_once(root: Path) -> None:
    """One worker is tried first; its line and its status are the whole's."""
    with running(root, count=3, meant="broken") as service:
        assert service.process.wait(20) == 2
        assert service.process.stderr is not None
        assert service.process.stderr.read() == "cannot start\n"
