"""`risk-scorer backup` and `restore`: what was learned is in the copy, and nothing is overwritten."""

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from risk_scorer.cli import app
from risk_scorer.settings import Settings


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (*Settings.model_fields, "risk_scorer_config"):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("RISK_SCORER_STATE", str(tmp_path / "scorer"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_copy_that_was_put_back_has_what_was_there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a place that was empty; 2 for one that is not, on either way."""
    assert run("backup", str(place / "copy")).exit_code == 1  # nothing is there yet
    assert run("credentials", "add", "gateway").exit_code == 0
    assert run("backup", str(place / "copy")).exit_code == 0
    assert run("backup", str(place / "copy")).exit_code == 2
    assert run("restore", str(place / "copy")).exit_code == 2
    monkeypatch.setenv("RISK_SCORER_STATE", str(place / "restored"))
    assert run("restore", str(place / "copy")).exit_code == 0
    assert run("credentials", "list").stdout.startswith("gateway\t")


def test_a_server_s_database_is_left_to_its_own_tools(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says which."""
    monkeypatch.setenv("RISK_SCORER_DATABASE", "postgresql://nobody@127.0.0.1:1/none")
    done = run("backup", str(place / "copy"))
    assert (done.exit_code, "pg_dump" in done.stderr) == (2, True)
