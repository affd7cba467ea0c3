"""A scorer that follows a registry in S3, and the engineers' commands that move it there."""

import base64
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx2
import pytest

from tests.integration.training.registered_models import card, published
from tests.services.test_s3_registry import PACKAGES, PATIENCE_SECONDS, s3_server
from tests.stories.scorer_process import scorer
from tests.unit.risk_scorer.core.stored_model import KEY, TRUSTED

pytestmark = pytest.mark.services

REGISTRY = "s3://models/a registry"
COMMAND = [sys.executable, "-W", "error", "-c", "from training.cli import main; main()"]
OURS = ("PYTHONPATH", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL")


def engineer(place: Path, environment: Mapping[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the registry's commands there, with the key of these models."""
    (place / "signing.key").write_bytes(base64.b64encode(KEY.private_bytes_raw()))
    (place / "signing.pub").write_bytes(base64.b64encode(TRUSTED[0]) + b"\n")

    def run(command: str, *more: str) -> subprocess.CompletedProcess[str]:
        key = ["--public-key", "signing.pub"] if command in ("list", "show") else ["--key", "signing.key"]
        return subprocess.run(
            [*COMMAND, command, *more, "--registry", REGISTRY, *key, "--json"],
            env=dict(environment), cwd=place, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip

    return run


def waited(client: httpx2.Client, name: str, wanted: object) -> None:
    """Until `/ready` says so."""
    began = time.monotonic()
    while (found := client.get("/ready").json())[name] != wanted:
        assert time.monotonic() - began < PATIENCE_SECONDS, found
        time.sleep(0.1)


def test_a_scorer_follows_a_registry_in_s3_and_outlives_it(tmp_path: Path) -> None:
    """Registered, promoted, swapped, shadowed and rolled back there; when it is gone, the last good model answers."""
    event = {"user_id": "ann", "ip": "198.51.100.7", "user_agent": "curl/8"}
    with contextlib.ExitStack() as server:
        environment = server.enter_context(s3_server(tmp_path))
        run = engineer(tmp_path, environment)
        versions = [published(tmp_path / f"models-{seed}", card(), seed=seed) for seed in (1, 2)]
        for version, seed in zip(versions, (1, 2), strict=True):
            registered = run("register", "--model-dir", f"models-{seed}")
            assert json.loads(registered.stdout) == {"model_version": version, "is_new": True}, registered.stderr
        first, second = versions
        assert run("promote", first, "--max-data-age", "9999").returncode == 0
        with scorer(tmp_path, MODEL_REGISTRY=REGISTRY, **{name: environment[name] for name in OURS}) as process:
            assert first in process.start()
            with process.client(process.credential("score,read")) as client:
                assert run("promote", second, "--max-data-age", "9999").returncode == 0
                waited(client, "model_version", second)
                assert run("shadow", first).returncode == 0
                assert json.loads(run("rollback").stdout)["active"] == first
                waited(client, "model_version", first)
                states = {row["model_version"]: row["state"] for row in json.loads(run("list").stdout)["versions"]}
                assert states == {first: "active", second: "registered"}
                server.close()
                waited(client, "model_problem", "registry_unavailable")
                assert client.post("/score", json=event).json()["model_version"] == first
                away = run("list")
                assert (away.returncode, away.stdout) == (4, "")
                assert away.stderr.startswith("error registry_unavailable: ")
                assert away.stderr.count("\n") == 1


def test_without_its_packages_an_address_in_s3_is_wrong_input(tmp_path: Path) -> None:
    """The extra is named, in one line."""
    left_out = {"PYTHONPATH": str(PACKAGES.parents[1])}
    told = engineer(tmp_path, left_out)("list")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("error bad_registry: ")
    assert "extra s3" in told.stderr
