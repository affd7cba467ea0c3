"""`auth-gateway policy`."""

import json
from pathlib import Path

import pytest

from tests.unit.auth_gateway.cli.conftest import Run

GOOD = """[[rule]]
name = "kp"
when = { country = ["KP", "IR"], client = "web" }
then = "deny"

[[rule]]
name = "all"
then = "challenge"
demand = "enrolled"
report_only = true
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "policy.toml"
    file.write_text(GOOD)
    return file


def test_a_good_document_is_counted(run: Run, file: Path) -> None:
    """Nothing is opened for it but the file."""
    assert run("policy", "check", str(file)) == (0, "2 rules, 1 of them report-only\n", "")
    assert not (file.parent / "state").exists()


def test_each_problem_is_a_line_that_editors_understand(run: Run, file: Path) -> None:
    """All of them at once, in the order of the file."""
    file.write_text(GOOD.replace('"KP"', '"kp"').replace("enrolled", "en\\u001brolled"))
    status, output, errors = run("policy", "check", str(file))
    assert (status, output) == (2, "")
    first, second = errors.splitlines()
    assert first == f"{file}:3: country 'kp' is not two capital letters such as DE, or unknown"
    assert second.startswith(f"{file}:9: demand 'en\\x1brolled' is not")


def test_a_document_is_checked_under_the_switches(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a switch forbids is refused as the gateway would."""
    file.write_text('[[rule]]\nname="r"\nwhen.login_risk="high"\nthen="challenge"\ndemand="phishing_resistant"\n')
    assert run("policy", "check", str(file))[0] == 2
    monkeypatch.setenv("LOGIN_POLICY_HIGH_DENY", "false")
    assert run("policy", "check", str(file))[0] == 0


@pytest.mark.parametrize("name", ["gone.toml", ""])
def test_a_file_that_cannot_be_read_is_said_to_be(run: Run, file: Path, name: str) -> None:
    """A missing one and a directory."""
    status, _, errors = run("policy", "check", str(file.parent / name))
    assert status == 2
    assert "cannot be read" in errors


def test_the_rules_in_force_are_shown_in_their_order(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then what answers after them."""
    monkeypatch.setenv("LOGIN_POLICY_FILE", str(file))
    status, output, _ = run("policy", "show")
    assert status == 0
    assert [line.split("\t") for line in output.splitlines()] == [
        ["1", "kp", "deny", "login,refresh,step_up", "when country=KP|IR client=web"],
        ["2", "all", "challenge enrolled (report-only)", "login,refresh,step_up", "always"],
        [
            "then",
            "built-in tables",
            "high_deny=True",
            "medium_requires_mfa=True",
            "phishing_resistant_from=75.0",
            "email_code=False",
            "push=False",
            "leeway_points=5.0",
            "user_risk_half_life_seconds=259200.0",
        ],
    ]
    monkeypatch.delenv("LOGIN_POLICY_FILE")
    assert run("policy", "show")[1].count("\n") == 1


def test_marks_are_counted_and_shown(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the rules, with whom they are for."""
    file.write_text(GOOD + '[[marks]]\nclient = ["bank", "shop"]\nstep_up = 45.5\nmodel = "m1"\n')
    assert run("policy", "check", str(file))[1] == "2 rules, 1 of them report-only; 1 marks\n"
    monkeypatch.setenv("LOGIN_POLICY_FILE", str(file))
    lines = run("policy", "show")[1].splitlines()
    assert lines[2].split("\t") == ["marks", "client=bank|shop", "step_up=45.5", "deny=80", "m1"]


def test_marks_of_sessions_are_shown_where_they_are_not_the_usual_ones(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator sees what a session's risk does, and what it never does."""
    monkeypatch.setenv("LOGIN_POLICY_FILE", str(file))
    file.write_text(GOOD + '[session_marks]\nstep_up = 70\nfreeze = "never"\nreport_only = true\n')
    lines = [line.split("\t") for line in run("policy", "show")[1].splitlines()]
    assert lines[2] == ["session marks", "step_up=70", "reset=80", "logout=90", "freeze=never", "report-only"]
    file.write_text(GOOD + "[session_marks]\nstep_up = 60\n")
    assert "session marks" not in run("policy", "show")[1]


def test_a_backtest_of_nothing_says_so(run: Run, file: Path) -> None:
    """For people and for programs."""
    status, output, _ = run("policy", "backtest", str(file), "--from", "2026-01-01", "--to", "2026-02-01")
    assert (status, output) == (0, "decisions from 2026-01-01 00:00:00Z until 2026-02-01 00:00:00Z: none\n")
    status, output, _ = run("policy", "backtest", str(file), "--from", "2026-01-01", "--json")
    found = json.loads(output)
    assert found["candidate"]["login"] == {"allowed": 0, "challenged": 0, "denied": 0, "total": 0}
    assert found["compromises"] == {"confirmed": 0, "stopped_by_present": 0, "stopped_by_candidate": 0}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--from", "yesterday"), "--from must be a date"),
        (("--from", "0001-01-01T00:00+14:00"), "--from must be a date"),
        (("--from", "2026-01-02", "--to", "2026-01-02"), "--to must be later"),
        (("--from", "2026-01-02", "--to", "x"), "--to must be a date"),
        ((), "--from"),
    ],
)
def test_a_span_that_is_none_is_refused(run: Run, file: Path, options: tuple[str, ...], words: str) -> None:
    """In one line."""
    status, _, errors = run("policy", "backtest", str(file), *options)
    assert status == 2
    assert words in errors


def test_a_saved_document_decides_where_no_file_is_named(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saved, listed and shown; one that is wrong is told like any other, and beside a file nothing is saved."""
    words = ("--by", "mara", "--why", "first rules")
    assert run("policy", "save", str(file), *words) == (0, "version 1: 2 rules\n", "")
    assert run("policy", "save", str(file), *words) == (0, "version 1: 2 rules\n", "")
    assert run("policy", "show")[1].startswith("1\tkp\tdeny")
    version, _, *rest = run("policy", "history")[1].rstrip("\n").split("\t")
    assert (version, rest) == ("1", ["2 rules", "mara", "first rules"])
    file.write_text(GOOD.replace('"KP"', '"kp"'))
    status, _, errors = run("policy", "save", str(file), *words)
    assert (status, errors.startswith(f"{file}:3: ")) == (2, True)
    file.write_text(GOOD)
    monkeypatch.setenv("LOGIN_POLICY_FILE", str(file))
    status, _, errors = run("policy", "save", str(file), *words)
    assert (status != 0, "LOGIN_POLICY_FILE" in errors) == (True, True)
