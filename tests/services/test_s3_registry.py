"""A registry in S3: the promises of every place, kept by a server that speaks it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port

pytestmark = pytest.mark.services

PACKAGES = Path(__file__).resolve().parents[2] / "var" / "s3"
PATIENCE_SECONDS = 60.0
MAKE_BUCKET = "import s3fs; s3fs.S3FileSystem().mkdir('models')"


@contextmanager
def s3_server(place: Path) -> Iterator[dict[str, str]]:
    """A server on a free port with an empty bucket `models`, and the environment in which a client finds it."""
    assert PACKAGES.is_dir(), "a server of S3 is not under var/s3: run scripts/test --services"
    port = free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(PACKAGES.parents[1]), str(PACKAGES)]),
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    with (place / "s3.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _make_bucket(environment)
        yield environment
    finally:
        server.kill()
        server.wait()


def _make_bucket(environment: dict[str, str]) -> None:
    began = time.monotonic()
    while True:
        made = subprocess.run([sys.executable, "-c", MAKE_BUCKET], env=environment, capture_output=True, check=False)
        if made.returncode == 0:
            return
        assert time.monotonic() - began < PATIENCE_SECONDS, made.stderr.decode()


def test_a_registry_in_s3_keeps_the_promises_of_a_folder(tmp_path: Path) -> None:
    """Exclusive creation and conditional replacement are the server's own."""
    with s3_server(tmp_path) as environment:
        run = subprocess.run(
            [
                sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-k", "s3",
                "-W", "default", "tests/integration/risk_scorer/test_registry_places.py",
            ],
            env={**environment, "RISKGATE_TEST_S3": "s3://models"},
            cwd=PACKAGES.parents[1], capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert "9 passed" in run.stdout
