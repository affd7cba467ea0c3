"""Child processes of the demo: started with their own log file, awaited until ready, ended by the id we started."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2

READY_WITHIN_SECONDS = 60.0


class DemoFailed(Exception):
    """The demo cannot go on; the text says why and what to do."""


LISTENING_PORTS = range(10_000, 32_000)
"""Below those that Linux gives to outgoing connections (`ip_local_port_range`): one of them may be in use again by the
time that a service listens."""


def free_port(preferred: int) -> int:
    """The preferred port when nobody listens there, else another one."""
    others = random.sample(LISTENING_PORTS, 20)
    for port in (preferred, *others) if preferred else others:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoFailed("no free port on 127.0.0.1")


def command(name: str) -> str:
    """The console script of this environment."""
    return str(Path(sys.executable).with_name(name))


def run(
    arguments: Sequence[str], *, environment: Mapping[str, str], show: bool = False, given: str | None = None
) -> str:
    """What a finished command printed, `given` this on its standard input; `show` lets a person watch it instead."""
    finished = subprocess.run(
        list(arguments),
        env=dict(environment),
        stdout=None if show else subprocess.PIPE,
        stderr=None,
        input=given,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise DemoFailed(f"`{Path(arguments[0]).name} {arguments[1]}` ended with status {finished.returncode}")
    return finished.stdout or ""


@dataclass
class Child:
    """One running service; `stop` asks, waits, then insists."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as sink:
            # A session of its own: Ctrl-C reaches the demo alone, which then ends its children in order.
            self.process = subprocess.Popen(
                list(self.arguments), env=dict(self.environment), stdout=sink, stderr=sink, start_new_session=True
            )

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self.process is not None and self.is_running():
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self, *, within_seconds: float = 10.0) -> None:
        if self.process is None or not self.is_running():
            return
        self.process.terminate()
        try:
            self.process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait_until_ready(self, url: str) -> None:
        """Return once `url` answers 200.

        Raises:
            DemoFailed: the process ended or was not ready in time; the last lines of its log are shown.
        """
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        with httpx2.Client(trust_env=False, timeout=2.0) as http:
            while time.monotonic() < deadline:
                if not self.is_running():
                    raise DemoFailed(f"{self.name} ended while starting:\n{self.last_lines()}")
                try:
                    if http.get(url).status_code == 200:
                        return
                except httpx2.HTTPError:
                    pass
                time.sleep(0.05)
        raise DemoFailed(f"{self.name} was not ready within {READY_WITHIN_SECONDS:.0f} s:\n{self.last_lines()}")

    def last_lines(self, count: int = 12) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])
