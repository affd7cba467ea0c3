"""What holds for every command of `risk-training`, also for one added tomorrow: help, --json, usage, wrong files."""

from pathlib import Path

import pytest

from tests.commands import OUTPUTS, assert_declined, commands, everything_below, filled, options, run

NAMES = sorted(commands())
READERS = [name for name in NAMES if "--input" in options(name)]
NO_LOG: dict[str, bytes | None] = {
    "missing": None,
    "empty": b"",
    "binary": b"\0\1\2" * 50,
    "unknown-columns": b"a,b\n1,2\n",
    "half-a-parquet": b"PAR1" + b"\0" * 40,
}
"""Files that are no log."""


@pytest.mark.parametrize("name", NAMES)
def test_a_command_says_what_it_does(name: str) -> None:
    """Help names the command's purpose and each option's; nobody has to read the code."""
    assert run(name, "--help").exit_code == 0
    assert commands()[name].help
    unsaid = [option.opts[-1] for option in commands()[name].params if not getattr(option, "help", None)]
    assert unsaid == []


@pytest.mark.parametrize("name", NAMES)
def test_a_command_answers_scripts(name: str) -> None:
    """Each can print one JSON object."""
    assert "--json" in options(name)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_wrong_usage(name: str, tmp_path: Path) -> None:
    """One line and status 2, whatever else was given, and nothing is written."""
    assert_declined(run(*filled(name, tmp_path), "--nonsense"), "usage")
    assert everything_below(tmp_path) == {}


@pytest.mark.parametrize("name", [name for name in NAMES if any(option.required for option in commands()[name].params)])
def test_what_is_required_is_asked_for(name: str) -> None:
    """A command without what it needs says what that is."""
    result = run(name)
    assert_declined(result, "usage")
    assert "Missing" in result.stderr


@pytest.mark.parametrize("kind", [*NO_LOG, "folder"])
@pytest.mark.parametrize("name", READERS)
def test_a_file_that_is_no_log_is_declined(
    name: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command that reads a log takes none of these: one line, status 2, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "log"
    content = NO_LOG.get(kind)
    if kind == "folder":
        log.mkdir()
    elif content is not None:
        log.write_bytes(content)
    before = everything_below(tmp_path)
    assert_declined(run(*filled(name, tmp_path, input=log)))
    assert everything_below(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "option"),
    [
        (name, option)
        for name in READERS
        for option in (*sorted(OUTPUTS), "--marks-out")
        if option in options(name) and (name, option) != ("calibrate", "--out")  # which is a folder
    ],
)
def test_no_command_writes_over_the_log_that_it_reads(name: str, option: str, tmp_path: Path) -> None:
    """A slip of the pen must not cost the log: one line, status 2, and it is what it was."""
    log = tmp_path / "log.csv"
    log.write_text("timestamp,user_id,ip,label\n2025-05-01,ann,203.0.113.7,\n")
    more = ["--per", "user_id"] if option == "--marks-out" else []
    assert_declined(run(*filled(name, tmp_path, input=log), option, log, *more), "output_is_input")
    assert log.read_text().startswith("timestamp")


@pytest.mark.parametrize("slip", ["trian", "Train", "--train"])
def test_an_unknown_command_is_wrong_usage(slip: str) -> None:
    """A slip of the pen is one line; the nearest command is named where there is one."""
    assert_declined(run(slip), "usage")


def test_without_a_command_the_overview_is_shown() -> None:
    """Whoever asks for nothing learns what there is, with the status of wrong usage."""
    result = run()
    assert result.exit_code == 2
    assert all(name in result.output for name in NAMES)
