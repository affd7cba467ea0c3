"""`auth-gateway users summary`, `freeze`, `unfreeze` and `reset-sessions`."""

import json
from collections.abc import Callable

import pytest

Run = Callable[..., tuple[int, str, str]]
WORDS = ("--by", "mara", "--why", "her phone was stolen")


@pytest.fixture
def alice(run: Run) -> str:
    """An account."""
    added = run("users", "add", "alice", "--user-id", "id-alice", "--password-stdin", stdin=b"tidal-amber-cactus-97\n")
    assert added[0] == 0
    return "alice"


def test_a_summary_says_how_an_account_is_and_why_the_scorer_says_nothing(run: Run, alice: str) -> None:
    """One line for the account; without a credential for the scorer, that."""
    lines = ["alice\tid-alice\tactive\trisk 0 fading", "behaviour\tnot known: no_credential"]
    assert run("users", "summary", alice) == (0, "\n".join(lines) + "\n", "")


def test_a_summary_for_programs_is_one_object(run: Run, alice: str) -> None:
    """As the API answers, the frozen reason with it."""
    assert run("users", "freeze", alice, *WORDS)[:2] == (0, "frozen\n")
    status, output, errors = run("users", "summary", alice, "--json")
    told = json.loads(output)
    assert (status, errors, output.count("\n")) == (0, "", 1)
    assert sorted(told) == ["account", "behaviour", "behaviour_missing", "risk", "sessions", "signals"]
    assert (told["account"]["user_id"], told["account"]["frozen_reason"]) == ("id-alice", "operator")
    assert (told["behaviour"], told["behaviour_missing"]) == (None, "no_credential")


def test_a_scorer_that_is_away_leaves_the_rest(run: Run, alice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said in a line, and no failure."""
    monkeypatch.setenv("RISK_API_CREDENTIAL", "rgs_" + "x" * 43)
    monkeypatch.setenv("RISK_API_URL", "http://127.0.0.1:9")
    status, output, _ = run("users", "summary", alice)
    assert (status, output.splitlines()[1]) == (0, "behaviour\tnot known: scorer_unreachable")


def test_each_act_says_whether_it_changed_anything(run: Run, alice: str) -> None:
    """A second time is no failure, and says that it was so."""
    acts = [
        (("freeze", alice), "frozen\n"),
        (("freeze", alice, *WORDS), "was frozen already\n"),
        (("unfreeze", alice, *WORDS), "active\n"),
        (("unfreeze", alice), "was active already\n"),
        (("reset-sessions", alice, *WORDS), "0 ended\n"),
    ]
    assert [run("users", *arguments) for arguments, _ in acts] == [(0, printed, "") for _, printed in acts]


WRONG = [
    ("summary",),
    ("summary", "nobody"),
    ("summary", "id-alice"),
    ("summary", "\x1b[2J"),
    ("summary", "\udcff"),
    ("freeze", "nobody", *WORDS),
    ("freeze", "alice", "--by", "mara"),
    ("freeze", "alice", "--why", "stolen"),
    ("freeze", "alice", "--by", " ", "--why", "stolen"),
    ("freeze", "alice", "--by", "m" * 129, "--why", "stolen"),
    ("unfreeze", "nobody", *WORDS),
    ("unfreeze", "alice", "--by", "mara"),
    ("unfreeze", "alice", "--by", "mara", "--why", "two\nlines"),
    ("reset-sessions", "nobody", *WORDS),
    ("reset-sessions", "alice"),
    ("reset-sessions", "alice", "--by", "mara"),
    ("reset-sessions", "alice", "--by", "mara", "--why", "w" * 501),
]


def test_wrong_input_is_one_line_and_status_2(run: Run, alice: str) -> None:
    """No traceback, nothing that touches the terminal, and nothing done."""
    for is_frozen in (False, True):
        if is_frozen:
            assert run("users", "freeze", alice)[0] == 0
        before = run("users", "summary", alice)
        for arguments in (each for each in WRONG if (each[0] == "unfreeze") is is_frozen):
            status, output, errors = run("users", *arguments)
            assert (status, output) == (2, ""), arguments
            assert errors.startswith("auth-gateway: "), arguments
            assert (errors.count("\n"), errors.strip().isprintable()) == (1, True), arguments
        assert run("users", "summary", alice) == before
