"""`auth-gateway users risk` and `users verdict`."""

from collections.abc import Callable

import pytest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def alice(run: Run) -> str:
    """An account."""
    assert run("users", "add", "alice", "--password-stdin", stdin=b"tidal-amber-cactus-97\n")[0] == 0
    return "alice"


def test_nothing_is_held_against_somebody_new(run: Run, alice: str) -> None:
    """One line, and no history."""
    assert run("users", "risk", alice) == (0, "0\tnone\tfading\n", "")


def test_a_verdict_is_kept_with_who_and_why(run: Run, alice: str) -> None:
    """And another one takes it back."""
    status, output, _ = run("users", "verdict", alice, "--compromised", "--by", "mara", "--why", "for sale")
    assert status == 0
    first, change = output.splitlines()
    assert first == "100\thigh\theld"
    assert change.split("\t")[1:4] == ["0 -> 100", "analyst", "compromised"]
    assert change.endswith("mara: for sale")
    _, output, _ = run("users", "verdict", alice, "--dismissed", "--by", "mara", "--why", "a mistake")
    assert output.splitlines()[0] == "0\tnone\tfading"


@pytest.mark.parametrize(
    "arguments",
    [
        ("users", "risk", "nobody"),
        ("users", "risk", "alice", "--limit", "0"),
        ("users", "verdict", "alice", "--by", "m", "--why", "w"),
        ("users", "verdict", "alice", "--safe", "--dismissed", "--by", "m", "--why", "w"),
        ("users", "verdict", "alice", "--safe", "--by", "m"),
        ("users", "verdict", "alice", "--safe", "--by", "", "--why", "w"),
        ("users", "verdict", "nobody", "--safe", "--by", "m", "--why", "w"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(run: Run, alice: str, arguments: tuple[str, ...]) -> None:
    """No traceback."""
    status, output, errors = run(*arguments)
    assert (status, output) == (2, "")
    assert errors.startswith("auth-gateway: ")
    assert errors.count("\n") == 1
