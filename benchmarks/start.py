"""What a process costs before it does anything: time of the processor, which a busy machine does not change much."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Final

from benchmarks.report import Figure
from benchmarks.servers import cpu_seconds, free_port, server

BARE: Final = "import uvicorn, fastapi"
COMMAND: Final = "from auth_gateway.cli import main; main()"


def measure(rounds: int) -> Iterator[Figure]:
    """Commands and the server until it is ready, against the bare web framework's imports in the same run."""
    with tempfile.TemporaryDirectory() as place:
        state = {"AUTH_GATEWAY_STATE": place, "JWT_ISSUER": "http://localhost:9000"}
        _until_ready(state)  # makes the database and the keys, and what was compiled is kept
        _run(BARE)
        overview, listing, serving = [], [], []
        for _ in range(rounds):
            bare = _run(BARE)
            overview.append((_run(COMMAND, "--help", environment=state), bare))
            listing.append((_run(COMMAND, "users", "list", environment=state), bare))
            serving.append((_until_ready(state), bare))
    for name, pairs in (("--help", overview), ("users list", listing), ("serve until /ready", serving)):
        yield _figure(f"auth-gateway {name}, CPU", pairs)


def _figure(name: str, pairs: list[tuple[float, float]]) -> Figure:
    ours, bare = zip(*pairs, strict=True)
    baseline = f"python -c '{BARE}'"
    return Figure(name, "s", baseline, ours, bare, "no target", more_is_better=False)


def _run(code: str, *arguments: str, environment: dict[str, str] | None = None) -> float:
    """Seconds of the processor that a process of this code took until it ended."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _until_ready(environment: dict[str, str]) -> float:
    """Seconds of the processor that the gateway took until /ready answered 200."""
    port = free_port()
    given = {**environment, "AUTH_GATEWAY_PORT": str(port), "AUTH_GATEWAY_LOG_LEVEL": "error"}
    command = [sys.executable, "-c", COMMAND, "serve"]
    with server(command, ready=f"http://127.0.0.1:{port}/ready", environment=given) as process:
        return cpu_seconds(process.pid)
