"""Schemathesis, which knows our OpenAPI document and nothing else, calls every operation of a gateway with provider."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from auth_gateway.core.provider.client import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, DEVICE_CODE, REFRESH_TOKEN
from tests.running_provider import RunningProvider, running_provider

pytestmark = pytest.mark.schemathesis
CHECKS = (
    "not_a_server_error",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "status_code_conformance",
    "use_after_free",
)
EXAMPLES = 10
SECONDS = 14


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProvider]:
    with running_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def engine(root: Path, request: pytest.FixtureRequest) -> Path:
    """The command, installed apart from us; its version is named in the closing lines."""
    command = root / "var" / "schemathesis" / "bin" / "st"
    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    request.config.__dict__.setdefault("riskgate_engines", []).append(f"Schemathesis {version}")
    return command


@pytest.mark.parametrize("caller", ["nobody", "an application"])
def test_every_operation_answers_as_it_is_documented(
    provider: RunningProvider, engine: Path, caller: str, tmp_path: Path, is_long: bool
) -> None:
    """No 5xx, no undocumented status, type or shape, whoever asks and whatever is sent."""
    options = ["--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing", "--seed", "1", "--no-shrink"]
    options += ["--max-examples", str(EXAMPLES * 30 if is_long else EXAMPLES)]
    options += ["--max-time", str(SECONDS * 17 if is_long else SECONDS), "--continue-on-failure", "--warnings", "off"]
    if caller == "an application":
        grants = (AUTHORIZATION_CODE, CLIENT_CREDENTIALS, REFRESH_TOKEN, DEVICE_CODE)
        client = provider.client("fuzzer", grant_types=grants, may_introspect=True, may_log_in=True)
        options += ["--auth", f"{client['id']}:{client['secret']}"]
    shown = subprocess.run(
        [engine, "run", f"{provider.issuer}/openapi.json", *options],
        cwd=tmp_path,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=60 + SECONDS * 12,
        check=False,
    )
    assert shown.returncode == 0, f"{shown.stdout[-8000:]}\n{shown.stderr[-2000:]}\n{provider.last_lines()}"
    assert '"level":"error"' not in provider.log.read_text(), provider.last_lines()
