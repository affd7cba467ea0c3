"""Servers under measurement, each a process of its own pinned to one core."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2


def cpu_seconds(pid: int) -> float:
    """What the process has used of its core until now, all threads together; how busy the machine is does not count."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(
    arguments: Sequence[str],
    *,
    ready: str,
    environment: Mapping[str, str] | None = None,
    cores: set[int] | None = None,
    within_seconds: float = 90.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `arguments` until the block ends; entered once `ready` answers 200."""
    process = subprocess.Popen(
        list(arguments),
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=sys.stderr,
        preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
    )
    try:
        _wait(process, ready, within_seconds)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, within_seconds: float) -> None:
    deadline = time.monotonic() + within_seconds
    with httpx2.Client(trust_env=False, timeout=2.0) as http:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if http.get(url).status_code == 200:
                    return
            except httpx2.HTTPError:
                pass
            time.sleep(0.05)
    raise RuntimeError(f"{url} did not become ready")


@contextmanager
def contender(name: str, core: int) -> Iterator[int]:
    """The port of a contender that is up."""
    port = free_port()
    arguments = [sys.executable, "-m", "benchmarks.contender_server", name, str(port)]
    with server(arguments, ready=f"http://127.0.0.1:{port}/health", cores={core}):
        yield port
