"""Who may open the console, as the command line keeps it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from risk_scorer.cli import app
from risk_scorer.settings import Settings


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, "risk_scorer_config"):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("RISK_SCORER_STATE", str(tmp_path / "scorer"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_role_is_given_changed_listed_and_taken() -> None:
    """One role for each name; who has none cannot lose it."""
    assert run("operators", "add", "mara", "--role", "analyst").exit_code == 0
    assert run("operators", "add", "mara", "--role", "admin").stdout == "mara is admin\n"
    assert run("operators", "add", "zoe").stdout == "zoe is reader\n"
    listed = run("operators", "list").stdout.splitlines()
    assert [line.split("\t")[:2] for line in listed] == [["mara", "admin"], ["zoe", "reader"]]
    assert run("operators", "remove", "mara").exit_code == 0
    gone = run("operators", "remove", "mara")
    assert (gone.exit_code, gone.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("operators", "add", "mara", "--role", "root"),
        ("operators", "add", " mara"),
        ("operators", "add", "ma\u202era"),
        ("operators", "add", "x" * 257),
        ("operator-link", "--role", "root"),
        ("operator-link", "--name", "\x1b[31m"),
    ],
)
def test_what_is_no_name_or_role_is_refused_in_one_line(arguments: tuple[str, ...]) -> None:
    """Exit status 2, nothing stored."""
    done = run(*arguments)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert run("operators", "list").stdout == ""
