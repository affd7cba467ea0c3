"""The JavaScript engine and what its scripts are told."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running_provider import REDIRECT_URI, RunningProvider, running_provider

# A run of one script: told as JSON on standard input, its verdict as JSON from standard output.
Judge = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session", autouse=True)
def node_engine(request: pytest.FixtureRequest) -> None:
    """Names the engine in the closing lines."""
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    engines = request.config.__dict__.setdefault("riskgate_engines", [])
    engines.append(f"Node.js {version}")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProvider]:
    """One running provider for all scenarios; each has people and applications of its own."""
    with running_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture
def judge(root: Path, provider: RunningProvider) -> Judge:
    """Runs one scenario of `relying_party/` in a process of its own, with a person of its own unless one is given."""
    # Beside the packages, where Node.js looks for them; written whole and then renamed, other runs may read.
    place = root / "var" / "node" / "relying_party"
    place.mkdir(exist_ok=True)
    for script in (root / "tests" / "node" / "relying_party").glob("*.mjs"):
        fresh = place / f"{script.name}.{os.getpid()}"
        fresh.write_text(script.read_text())
        fresh.replace(place / script.name)

    def run(scenario: str, **given: Any) -> dict[str, Any]:
        person = given.pop("person", None) or vars(provider.person())
        material = {"issuer": provider.issuer, "redirect_uri": REDIRECT_URI, "person": person, **given}
        shown = subprocess.run(
            ["node", str(place / f"{scenario}.mjs")],
            input=json.dumps(material),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert shown.returncode == 0, f"{shown.stderr}\n{provider.last_lines()}"
        verdict: dict[str, Any] = json.loads(shown.stdout)
        assert verdict["verdict"] == "passed"
        return verdict

    return run
