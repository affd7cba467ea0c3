"""The peer of the provider's benchmark: node oidc-provider on one core, versions in `peer/npm-shrinkwrap.json`."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from benchmarks.home import ROOT
from benchmarks.servers import free_port, server

SOURCE = ROOT / "benchmarks" / "peer"
PLACE = ROOT / "var" / "node-bench"
LOCK = "npm-shrinkwrap.json"
CLIENT_ID = "bench"
SECRET = "bench-secret-0123456789abcdef0123456789"


@dataclass(frozen=True)
class Peer:
    """Where it listens, and its process."""

    port: int
    pid: int

    def refresh_tokens(self, count: int) -> list[str]:
        """Tokens of sessions of their own to begin with."""
        found = httpx2.get(f"http://127.0.0.1:{self.port}/seed?count={count}", trust_env=False)
        tokens: list[str] = found.raise_for_status().json()
        return tokens


def install() -> None:
    """The packages, once for each state of the lock file.

    Raises: RuntimeError without Node.js; CalledProcessError when a package cannot be had or is not the one expected.
    """
    if shutil.which("npm") is None:
        raise RuntimeError("the provider's peer needs Node.js with npm")
    PLACE.mkdir(parents=True, exist_ok=True)
    wanted = (SOURCE / LOCK).read_bytes()
    marker = PLACE / "installed"
    for name in (LOCK, "package.json", "server.mjs"):
        shutil.copyfile(SOURCE / name, PLACE / name)
    if marker.exists() and marker.read_bytes() == wanted:
        return
    command = ["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=PLACE, check=True)
    marker.write_bytes(wanted)


def version() -> str:
    """Of Node.js and of the package, for the table."""
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607
    package = json.loads((PLACE / "node_modules" / "oidc-provider" / "package.json").read_text())
    return f"oidc-provider {package['version']}, Node.js {node}"


@contextmanager
def peer(core: int) -> Iterator[Peer]:
    """The peer, up and pinned to `core`."""
    install()
    port = free_port()
    arguments = ["node", str(PLACE / "server.mjs"), str(port)]
    with server(arguments, ready=f"http://127.0.0.1:{port}/health", cores={core}) as process:
        yield Peer(port, process.pid)
