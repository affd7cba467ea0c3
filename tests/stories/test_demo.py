"""`scripts/demo --once` keeps every promise it prints, and says so by its exit status."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.house import PATIENCE_MS, share_tables


def demo(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "demo", "--once", *arguments],
        cwd=root,
        env=os.environ | {"SCORER_DEADLINE_MS": PATIENCE_MS},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_the_walk_goes_as_promised_twice(root: Path, trained_models: Path, is_long: bool) -> None:
    """Five steps, a receiver killed in the middle, exit status 0; a second start tells the same story."""
    chosen = ("--state", str(trained_models.parent / "walk"), "--models", str(trained_models))
    share_tables(trained_models.parent / "walk")
    for _ in range(2 if is_long else 1):
        shown = demo(root, *chosen)
        assert shown.returncode == 0, shown.stdout + shown.stderr
        assert "Every step went as promised." in shown.stdout
        assert "login.mfa_required" in shown.stdout
        assert "/operator/sign-in?token=" in shown.stdout
    log = (trained_models.parent / "walk" / "logs" / "gateway.log").read_text()
    assert "alice@example.com" in log
    assert "New sign-in to your account" in log


@pytest.mark.long
def test_a_taken_port_is_said_and_another_one_chosen(root: Path, trained_models: Path) -> None:
    """Somebody else's server on the gateway's port does not stop the demo."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        shown = demo(
            root,
            "--state",
            str(trained_models.parent / "taken"),
            "--models",
            str(trained_models),
            "--gateway-port",
            str(port),
        )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert f"Port {port} is taken" in shown.stdout


@pytest.mark.long
def test_told_to_stop_it_ends_what_it_started(root: Path, trained_models: Path) -> None:
    """It stays up after the walk; a SIGTERM ends both services with it, and the status is 0."""
    chosen = ("--state", str(trained_models.parent / "stop"), "--models", str(trained_models))
    ports = ("--scorer-port", "18000", "--gateway-port", "19000")
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "demo", *chosen, *ports], cwd=root, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "stays up until Ctrl-C" in line:
                break
        shown = "".join(lines)
        gateway = re.findall(r": gateway (\S+), scorer (\S+)", shown)[0]
        assert all(httpx2.get(f"{url}/health", trust_env=False).status_code == 200 for url in gateway)
        process.terminate()
        assert process.wait(30) == 0, shown
    for url in gateway:
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{url}/health", trust_env=False)
