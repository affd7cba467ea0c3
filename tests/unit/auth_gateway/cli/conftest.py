"""The operator's commands, run in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from auth_gateway import cli
from auth_gateway.settings import Settings

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs one command beside a fresh state; answers status, output and errors."""
    for name in (*Settings.model_fields, "auth_gateway_config"):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("AUTH_GATEWAY_STATE", str(tmp_path / "state"))

    def command(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        given = tmp_path / "stdin"
        given.write_bytes(stdin)
        with given.open("r", encoding="utf-8", errors="surrogateescape") as source, monkeypatch.context() as patch:
            patch.setattr("sys.stdin", source)
            patch.setattr("sys.argv", ["auth-gateway", *arguments])
            with pytest.raises(SystemExit) as left:
                cli.main()
        output, errors = capfd.readouterr()
        return int(left.value.code or 0), output, errors

    return command
