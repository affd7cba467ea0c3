"""A place of its own for the services under measurement: fresh state, a model trained once on the bundled sample."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from benchmarks.servers import free_port, server
from risk_scorer.adapters.model_store import BadPublicKey, checked_model
from risk_scorer.core.artefact import BadArtefact

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "var" / "benchmarks" / "models"
KEY = ROOT / "var" / "benchmarks" / "signing.key"


@dataclass(frozen=True)
class Address:
    """Where a service listens, what opens it, and its process."""

    port: int
    credential: str = ""
    pid: int = 0


def command(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _has_model() -> bool:
    """Whether the model of an earlier run is one that today's scorer takes."""
    try:
        checked_model(MODELS, [str(KEY.with_suffix(".pub"))])
    except (OSError, BadPublicKey, BadArtefact):
        return False
    return True


class Home:
    """A temporary state directory; gone when the block ends."""

    def __enter__(self) -> "Home":
        self._folder = tempfile.TemporaryDirectory(prefix="riskgate-bench-")
        self.state = Path(self._folder.name)
        if not _has_model():
            sample = str(ROOT / "data" / "sample_logins.csv")
            subprocess.run(
                [
                    command("risk-training"), "train", "--input", sample, "--model_dir", str(MODELS), "--key", str(KEY),
                    "--ip_overlay", str(ROOT / "demo" / "networks.toml"),
                ],
                check=True,
            )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def run(self, *arguments: str, environment: Mapping[str, str]) -> str:
        """What one of our commands printed."""
        return subprocess.run(
            list(arguments), env={**os.environ, **environment}, check=True, capture_output=True, text=True
        ).stdout

    @contextmanager
    def scorer(self, *, core: int | None = None, name: str = "scorer", **settings: str) -> Iterator[Address]:
        """A scorer that is up, with a credential for everything and a state of its own by that name."""
        port = free_port()
        environment = {
            "MODEL_DIR": str(MODELS),
            "MODEL_PUBLIC_KEYS": str(KEY.with_suffix(".pub")),
            "RISK_SCORER_PROFILE": "demo",
            "RISK_SCORER_STATE": str(self.state / name),
            "RISK_SCORER_GEO_CACHE": str(ROOT / "var" / "benchmarks" / "geo"),
            "RISK_SCORER_PORT": str(port),
            "RISK_SCORER_LOG_LEVEL": "error",
            "IP_OVERLAY": str(ROOT / "demo" / "networks.toml"),
            **settings,
        }
        printed = self.run(
            command("risk-scorer"),
            "credentials",
            "add",
            "bench",
            "--scope",
            "score,outcomes,read,activity",
            environment=environment,
        )
        found = re.search(r"rgs_[\w-]+", printed)
        assert found is not None
        with server(
            [command("risk-scorer"), "serve"],
            ready=f"http://127.0.0.1:{port}/ready",
            environment=environment,
            cores=None if core is None else {core},
        ) as process:
            yield Address(port, found.group(), process.pid)

    @contextmanager
    def gateway(self, scorer: Address, *, cores: set[int] | None = None, **settings: str) -> Iterator[Address]:
        """A gateway in the demo profile that asks this scorer."""
        port = free_port()
        environment = {
            "AUTH_GATEWAY_PROFILE": "demo",
            "AUTH_GATEWAY_STATE": str(self.state / "gateway"),
            "AUTH_GATEWAY_PORT": str(port),
            "AUTH_GATEWAY_LOG_LEVEL": "error",
            "JWT_ISSUER": f"http://localhost:{port}",
            "RISK_API_URL": f"http://127.0.0.1:{scorer.port}",
            "RISK_API_CREDENTIAL": scorer.credential,
            **settings,
        }
        with server(
            [command("auth-gateway"), "serve"],
            ready=f"http://127.0.0.1:{port}/ready",
            environment=environment,
            cores=cores,
        ) as process:
            yield Address(port, pid=process.pid)
