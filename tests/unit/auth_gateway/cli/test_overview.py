"""The command line loads what was asked for, and says the same of itself whatever is loaded."""

import pytest
from typer.testing import CliRunner

from auth_gateway.cli import COMMANDS, commands


@pytest.mark.parametrize("name", COMMANDS)
def test_the_overview_says_what_the_command_says_of_itself(name: str) -> None:
    """What stands for a command that is not loaded has the loaded one's own words."""
    unloaded = CliRunner().invoke(commands([]), ["--help"], terminal_width=200).output
    loaded = CliRunner().invoke(commands([name]), [name, "--help"], terminal_width=200).output
    line = next(line for line in unloaded.splitlines() if line.split()[:1] == [name])
    assert line.removeprefix(f"  {name}").strip() == COMMANDS[name]
    assert " ".join(loaded.split()).count(COMMANDS[name]) == 1


def test_every_command_is_named_where_none_is_loaded() -> None:
    """The overview is whole."""
    output = CliRunner().invoke(commands([]), ["--help"], terminal_width=200).output
    listed = output.partition("Commands:")[2].split("\n")
    assert [line.split()[0] for line in listed if line.strip()] == list(COMMANDS)
