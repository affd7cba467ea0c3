"""The real `risk-scorer` process on a free port, with a small signed model, for stories about its life and death."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from risk_scorer.settings import Settings
from tests.integration.risk_scorer.published import PUBLIC_KEY
from tests.ports import free_port
from tests.scorer_commands import new_credential, new_operator_link
from tests.unpacked import GEO_CACHE

COMMAND = [sys.executable, "-c", "from risk_scorer.cli import main; main()"]
PATIENCE_SECONDS = 60.0


@dataclass
class Scorer:
    """One scorer's place on disk, and the process while it runs."""

    place: Path
    port: int = field(default_factory=free_port)
    changes: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """The settings of this scorer and nothing that the machine happens to have set."""
        ours = {name.upper() for name in Settings.model_fields} | {"RISK_SCORER_CONFIG"}
        clean = {name: value for name, value in os.environ.items() if name not in ours}
        (self.place / "signing.pub").write_bytes(PUBLIC_KEY)
        return clean | {
            "MODEL_DIR": str(self.place / "models"),
            "MODEL_PUBLIC_KEYS": str(self.place / "signing.pub"),
            "RISK_SCORER_STATE": str(self.place / "scorer"),
            "RISK_SCORER_GEO_CACHE": str(GEO_CACHE),
            "RISK_SCORER_PORT": str(self.port),
            "RISK_SCORER_PROFILE": "demo",
            **self.changes,
        }

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """A command to its end."""
        return subprocess.run(
            [*COMMAND, *arguments],
            env=self.environment() | changes,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def credential(self, scopes: str = "score,outcomes,read", name: str = "story") -> str:
        return new_credential(self.environment(), name, scopes)

    def operator_token(self) -> str:
        return new_operator_link(self.environment()).partition("/operator/sign-in?token=")[2]

    def start(self) -> str:
        """Serve; the line that says it is ready."""
        log = (self.place / "scorer.log").open("a")
        self.process = subprocess.Popen(
            [*COMMAND, "serve"], env=self.environment(), stdout=subprocess.PIPE, stderr=log, text=True
        )
        log.close()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, (self.place / "scorer.log").read_text()
        return line

    def stop(self, number: int = signal.SIGTERM) -> float:
        """End the process; how many seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(PATIENCE_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return time.monotonic() - began

    def client(self, credential: str) -> httpx2.Client:
        bearer = {"authorization": f"Bearer {credential}"}
        return httpx2.Client(base_url=self.url, headers=bearer, trust_env=False, timeout=20.0)


@contextmanager
def scorer(place: Path, **changes: Any) -> Iterator[Scorer]:
    """A scorer that is certainly gone afterwards."""
    found = Scorer(place, changes=changes)
    try:
        yield found
    finally:
        if found.process is not None:
            found.stop(signal.SIGKILL)
